"""Train the reference discriminators of a site: `python -m evaluation.training.discriminator --help`."""
