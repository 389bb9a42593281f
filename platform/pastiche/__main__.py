"""Run the participants' command line: `python -m pastiche`."""

from pastiche.cli import main

main()
