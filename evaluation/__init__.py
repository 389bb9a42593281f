"""Evaluate stylized images: archives, generation, metrics and reports, with no web framework."""
