"""Metrics as plain functions, one family per file; this package file imports nothing."""
