"""Painters of style images: one tradition per file, each a function `paint(rng, size)`."""
