"""Reference generators, each in one file that is also the `model.py` of the archive it is exported to."""
