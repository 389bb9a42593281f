"""Run a generator on pairs, one pair at a time, over a framed pipe protocol."""
