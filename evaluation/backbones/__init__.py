"""Feature networks that the metrics look through; this package file imports nothing."""
