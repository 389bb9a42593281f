"""Run the command line of the reference generators: `python -m baselines COMMAND`."""

from baselines.cli import main

main()
