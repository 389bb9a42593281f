"""Uncertainty of means and ranks; this package file imports nothing."""
