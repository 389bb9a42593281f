"""Run untrusted generators where they can reach nothing: bubblewrap, seccomp, cgroups, and the proof that they hold."""
