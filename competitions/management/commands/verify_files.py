"""Read every stored file and compare it with its digest: `manage.py verify_files`, after a restore above all."""

from django.core.management.base import BaseCommand, CommandError

from competitions.selectors.stored_files import check_files


class Command(BaseCommand):
    """Name what is missing or damaged; where anything is, end with an error."""

    help = "Compare every stored file with its digest"

    def handle(self, *_: object, **__: object) -> None:
        """Read all of it."""
        n_files, n_wrong = 0, 0
        for file in check_files():
            n_files += 1
            if file.problem:
                n_wrong += 1
                self.stderr.write(f"{file.problem}: {file.kind} {file.sha256}")
        if n_wrong:
            raise CommandError(
                f"{n_wrong} of {n_files} files are not as they should be. Restore these from a copy."
            )
        self.stdout.write(f"All {n_files} files are there and whole.")
