"""Put a reference generator on a competition's board: `manage.py register_baseline demo identity.zip`."""

from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from competitions.management.refusals import as_command_errors
from competitions.models import Phase
from competitions.services.submissions import Upload, register_baseline


class Command(BaseCommand):
    """Hand the archive to the same service that takes participants' uploads."""

    help = "Register an archive as a baseline of a competition's phase"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take competition, archive, and a phase where there are several."""
        parser.add_argument("competition")
        parser.add_argument("archive", type=Path)
        parser.add_argument("--phase", help="needed only where the competition has several")
        parser.add_argument("--note", default="")

    def handle(self, *, competition: str, archive: Path, phase: str | None, note: str, **_: object) -> None:
        """Find the phase and register the archive."""
        phases = Phase.objects.filter(competition__slug=competition)
        phases = phases.filter(slug=phase) if phase else phases
        if phases.count() != 1:
            slugs = ", ".join(phases.values_list("slug", flat=True)) or "none"
            raise CommandError(f"Name one phase of {competition!r} with --phase; found: {slugs}.")
        try:
            with as_command_errors(), archive.open("rb") as content:
                upload = Upload(content=content, size=archive.stat().st_size, note=note)
                submission = register_baseline(phase_pk=phases.get().pk, upload=upload)
        except OSError as error:
            raise CommandError(f"{archive} cannot be read: {error.strerror}.") from error
        self.stdout.write(f"{submission.name}: {submission.pk}")
