"""The participants' command line and REST client; it needs neither Django nor torch."""
