"""Run the command line of the evaluation library."""

from evaluation.cli import main

main()
