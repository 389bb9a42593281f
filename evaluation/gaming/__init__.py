"""Signs that an entry plays the score instead of transferring style; this package file imports nothing."""
