"""The participants' command line and REST client; it needs neither Django nor torch."""

from pastiche.client import Client
from pastiche.errors import PasticheError

__all__ = ["Client", "PasticheError"]
