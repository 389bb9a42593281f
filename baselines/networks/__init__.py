"""The learned generators, an architecture a file; each file is also the `model.py` of the archives made from it."""
