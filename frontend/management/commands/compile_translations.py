"""Compile the catalogues of the pages: `manage.py compile_translations`."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from frontend.translations import compile_catalogues, update_catalogues


class Command(BaseCommand):
    """Write the .mo files that Django reads; they are made, never kept in the repository."""

    help = "Compile the translations; with --update, first put new texts into the catalogues"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --update."""
        parser.add_argument("--update", action="store_true", help="add new texts, drop those no longer used")

    def handle(self, *, update: bool, **_: object) -> None:
        """Update if asked to, then compile."""
        if update:
            update_catalogues()
        for path in compile_catalogues():
            self.stdout.write(str(path))
