"""Import a dataset folder: `manage.py import_dataset FOLDER --slug waves --title Waves`."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand

from competitions.management.refusals import as_command_errors, read_words
from competitions.services.datasets import import_dataset


class Command(BaseCommand):
    """Hand the folder to the service that keeps datasets in versions."""

    help = "Import a dataset folder (pairs.json beside its images) as the next version of a dataset"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the folder, and how the dataset is called."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--slug", required=True, help="a new dataset, or one that gets another version")
        parser.add_argument("--title", required=True, help="of a new dataset; that of a known one stays")
        parser.add_argument(
            "--credits", type=Path, help="a text file: whose images these are, by which license"
        )

    def handle(self, *, folder: Path, slug: str, title: str, credits: Path | None, **_: object) -> None:
        """Import the folder and say which version it is."""
        with as_command_errors():
            version = import_dataset(folder=folder, slug=slug, title=title, credits=read_words(credits))
        n_pairs, n_hidden = version.pairs.count(), version.pairs.filter(split="hidden").count()
        self.stdout.write(
            f"{version.dataset.slug}:{version.number}: {n_pairs} pairs, {n_hidden} of them hidden, {version.size} px"
        )
