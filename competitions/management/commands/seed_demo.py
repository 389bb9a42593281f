"""Make the demo competition with its accounts and baselines; running it again changes nothing."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.models import User
from accounts.services import create_user
from competitions.models import Competition
from competitions.services.competitions import PhasePlan, create_competition, create_phase, publish
from competitions.services.datasets import import_dataset
from evaluation.spec import load_suite

SLUG = "demo"
SUITE = "sts-demo-1"
ACCOUNTS = {"researcher": False, "organizer": False, "admin": True}
SUMMARY = "Paint six photographs in the manner of eight patterns that your generator has never seen."
DESCRIPTION = """Each pair is a photograph (content) and a picture painted by a program after a named tradition (style).
Return the photograph's scene in the style of the picture: 256 × 256 pixels, one pair at a time.

The scores are demo scores: they come from fixed filters that ship with the platform and need no download. They
tell copies from transfers, but they do not order good transfers as people would."""


class Command(BaseCommand):
    """Seed through the same services and commands that anybody uses."""

    help = "Create the demo competition, its accounts and its baselines"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --stay, for use beside the other services."""
        parser.add_argument("--stay", action="store_true", help="do not end before being told to")

    def handle(self, *, stay: bool, **_: object) -> None:
        """Seed what is missing."""
        accounts = _make_accounts()
        if not Competition.objects.filter(slug=SLUG).exists():
            with tempfile.TemporaryDirectory(prefix="pastiche-demo-") as folder:
                _run("evaluation", "demo-data", folder)
                _make_competition(Path(folder), User.objects.get(username="organizer"))
        with tempfile.TemporaryDirectory(prefix="pastiche-baselines-") as folder:
            _run("baselines", "export", "--all", "--out", folder)
            for archive in _fastest_first(Path(folder)):
                call_command("register_baseline", SLUG, archive, stdout=self.stdout)
        self.stdout.write(f"The demo is ready; accounts: {', '.join(accounts)}.")
        self.stdout.flush()
        if stay:
            signal.sigwait({signal.SIGTERM, signal.SIGINT})


def _make_accounts() -> dict[str, str]:
    """Create the demo accounts with random passwords, kept in the data folder for this machine's user."""
    path = settings.DATA_DIR / "demo_accounts.json"
    passwords: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    for username, is_staff in ACCOUNTS.items():
        passwords.setdefault(username, secrets.token_urlsafe(9))
        if not User.objects.filter(username=username).exists():
            create_user(username=username, password=passwords[username], is_staff=is_staff)
    temporary = path.with_suffix(".new")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(passwords, file)
    temporary.rename(path)
    return passwords


def _make_competition(folder: Path, organizer: User) -> None:
    credits = (folder / "CREDITS.md").read_text(encoding="utf-8")
    dataset = import_dataset(folder=folder, slug=SLUG, title="Demo pairs", credits=credits)
    competition = create_competition(
        slug=SLUG,
        title="Demo: photographs and patterns",
        summary=SUMMARY,
        description=DESCRIPTION,
        organizer=organizer,
    )
    now = timezone.now()
    plan = PhasePlan(
        slug="open",
        title="Open phase",
        opens_at=now,
        closes_at=now + timedelta(days=3650),
        runs_per_day=20,
        pair_seconds=30,  # a slow laptop is no reason to fail
    )
    create_phase(competition=competition, plan=plan, dataset_version=dataset, suite=load_suite(SUITE))
    publish(competition=competition)


def _run(*arguments: str) -> None:
    """Run one of the project's own command lines in a process of its own: this one loads no torch."""
    subprocess.run(
        [sys.executable, "-m", *arguments], cwd=settings.BASE_DIR, check=True, stdout=subprocess.DEVNULL
    )


def _fastest_first(folder: Path) -> list[Path]:
    """Order the archives so that the board fills quickly: optimization comes last."""
    return sorted(folder.glob("*.zip"), key=lambda path: (path.stem == "gatys", path.stem))
