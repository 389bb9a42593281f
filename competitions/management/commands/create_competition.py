"""Make a competition with its first phase: `manage.py create_competition --help` lists what it needs."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from competitions.management.refusals import as_command_errors, find_user, read_words
from competitions.models import DatasetVersion, Phase
from competitions.services.competitions import PhasePlan, create_competition, create_phase, publish
from evaluation.spec import load_suite

# Options named like the fields of a plan: type and help; the plan's own value is the default.
PLAN: dict[str, tuple[type, str]] = {
    "runs_per_day": (int, "runs of a team each day (UTC)"),
    "pair_seconds": (int, "limit for one pair"),
    "load_seconds": (int, "limit for loading a generator"),
    "run_seconds": (int, "limit for a whole run"),
    "device": (str, "what runs get: cpu or gpu"),
    "memory_mb": (int, "limit for the memory of a generator"),
    "required_coverage": (float, "share of the pairs that need a valid output"),
    "counting": (str, "which submission of a team stands on the board: best or latest"),
    "finals_per_team": (int, "how many submissions a team may choose to be ranked by; 0: none"),
}


class Command(BaseCommand):
    """Hand everything to the services; either all of it is made or nothing."""

    help = "Create a competition with one phase; without --publish only its organizers see it"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what the services need."""
        parser.add_argument("slug")
        parser.add_argument("--title", required=True)
        parser.add_argument("--summary", default="", help="one sentence for the list of competitions")
        parser.add_argument("--description", type=Path, help="a Markdown file for the competition's page")
        parser.add_argument(
            "--dataset", required=True, metavar="SLUG[:NUMBER]", help="default: newest version"
        )
        parser.add_argument("--suite", required=True, help="for example sts-1")
        parser.add_argument("--organizer", required=True, metavar="USER")
        parser.add_argument("--opens", required=True, type=read_moment, help="ISO 8601; without zone: UTC")
        parser.add_argument("--closes", required=True, type=read_moment, help="ISO 8601; without zone: UTC")
        parser.add_argument("--phase", default="main", help="slug of the phase")
        parser.add_argument("--phase-title", default="Main phase")
        for name, (kind, text) in PLAN.items():
            default = getattr(PhasePlan, name)
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, type=kind, default=default, help=f"{text} (default: {default})")
        parser.add_argument("--publish", action="store_true", help="show the competition to everybody")

    def handle(self, *, slug: str, title: str, publish: bool, **options: object) -> None:
        """Create the competition and its phase, and say where it stands."""
        with as_command_errors():
            phase = _create(slug, title, options, is_published=publish)
        seen = "everybody sees it" if publish else "only organizers see it"
        self.stdout.write(f"/c/{slug}/: phase {phase.slug!r} on {phase.dataset_version}; {seen}.")


def read_moment(text: str) -> datetime:
    """Read an ISO 8601 date with or without time; without a zone it is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        example = "2027-05-01T12:00, or 2027-05-01T12:00+02:00 with a zone"
        raise ArgumentTypeError(f"{text!r} is no date in ISO 8601; write for example {example}.") from error


@transaction.atomic
def _create(slug: str, title: str, options: dict[str, object], *, is_published: bool) -> Phase:
    description: Path | None = options["description"]  # type: ignore[assignment]
    competition = create_competition(
        slug=slug,
        title=title,
        summary=str(options["summary"]),
        description=read_words(description),
        organizer=find_user(str(options["organizer"])),
    )
    plan = PhasePlan(
        slug=str(options["phase"]),
        title=str(options["phase_title"]),
        opens_at=options["opens"],  # type: ignore[arg-type]  # the parser has made it a datetime
        closes_at=options["closes"],  # type: ignore[arg-type]
        **{name: options[name] for name in PLAN},  # type: ignore[arg-type]
    )
    phase = create_phase(
        competition=competition,
        plan=plan,
        dataset_version=_find_dataset(str(options["dataset"])),
        suite=load_suite(str(options["suite"])),
    )
    if is_published:
        publish(competition=competition)
    return phase


def _find_dataset(text: str) -> DatasetVersion:
    slug, colon, number = text.partition(":")
    versions = DatasetVersion.objects.filter(dataset__slug=slug).order_by("number")
    if colon:
        versions = versions.filter(number=int(number)) if number.isdecimal() else versions.none()
    found = versions.last()
    if found is None:
        known = DatasetVersion.objects.order_by("dataset__slug", "number").values_list(
            "dataset__slug", "number"
        )
        there = ", ".join(f"{name}:{n}" for name, n in known) or "none; `manage.py import_dataset` makes one"
        raise CommandError(f"NOT_FOUND: There is no dataset {text!r}. Known: {there}.")
    return found
