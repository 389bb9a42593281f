"""Every read of the domain, and the one place that decides who sees what."""
