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
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import create_user
from competitions.models import Competition
from competitions.services.competitions import PhasePlan, create_competition, create_phase, publish
from competitions.services.datasets import import_dataset
from evaluation.spec import load_suite

SLUG = "demo"
SUITE = "sts-demo-2"
ACCOUNTS = {"researcher": False, "organizer": False, "admin": True}
SUMMARY = "Paint six photographs in the manner of eight patterns that your generator has never seen."
DESCRIPTION = """Each pair is a photograph (content) and a picture painted by a program after a named tradition (style).
Return the photograph's scene in the style of the picture: 256 × 256 pixels, one pair at a time.

The scores are demo scores: they come through a small network that ships with the platform and needs no download. It
tells copies from transfers; for the order of good transfers trust the official suites more."""


class Command(BaseCommand):
    """Seed through the same services and commands that anybody uses."""

    help = "Create the demo competition, its accounts and its baselines"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take --stay, for use beside the other services."""
        parser.add_argument("--stay", action="store_true", help="do not end before being told to")

    def handle(self, *, stay: bool, **_: object) -> None:
        """Seed what is missing."""
        accounts = make_accounts()
        for name in sorted(set(ACCOUNTS) - set(accounts)):
            self.stdout.write(f"The password of {name} is unknown; manage.py changepassword {name} sets one.")
        if not Competition.objects.filter(slug=SLUG).exists():
            with tempfile.TemporaryDirectory(prefix="pastiche-demo-") as folder:
                _run("evaluation", "demo-data", folder, "--seed", read_seed())
                make_competition(Path(folder), User.objects.get(username="organizer"))
        with tempfile.TemporaryDirectory(prefix="pastiche-baselines-") as folder:
            exported = json.loads(_run("baselines", "export", "--all", "--json", "--out", folder))
            for archive in exported:  # the fastest first, so that the board fills quickly
                call_command("register_baseline", SLUG, archive["path"], stdout=self.stdout)
        self.stdout.write(f"The demo is ready; accounts: {', '.join(ACCOUNTS)}.")
        self.stdout.flush()
        if stay:
            signal.sigwait({signal.SIGTERM, signal.SIGINT})


def make_accounts() -> dict[str, str]:
    """Create the demo accounts that are missing and return the passwords that are known to work.

    The passwords are kept in the data folder for this machine's user, before any account uses them: an
    interrupted start loses none. A user whose password is not the kept one is left alone and not listed.
    """
    path = settings.DATA_DIR / "demo_accounts.json"
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    users = {user.username: user for user in User.objects.filter(username__in=ACCOUNTS)}
    passwords = {
        name: kept.get(name) or secrets.token_urlsafe(9)
        for name in ACCOUNTS
        if name not in users or (name in kept and users[name].check_password(kept[name]))
    }
    _write_private(path, json.dumps(passwords))
    for name in passwords.keys() - users.keys():
        create_user(
            username=name, password=passwords[name], email=f"{name}@localhost", is_staff=ACCOUNTS[name]
        )
    return passwords


def read_seed() -> str:
    """Return the seed of this installation's style images: who knows it can paint the hidden ones."""
    if settings.DEMO_SEED:
        return str(settings.DEMO_SEED)
    path = settings.DATA_DIR / "demo_seed"
    if not path.exists():
        # Too long to be guessed from the public pictures, which are painted from it too.
        _write_private(path, str(secrets.randbelow(2**128)))
    return path.read_text(encoding="ascii")


def _write_private(path: Path, text: str) -> None:
    """Write a file that only this user may read, as a whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    os.replace(temporary, path)


@transaction.atomic
def make_competition(folder: Path, organizer: User) -> None:
    """Make the competition together with its dataset and phase, or, where anything fails, nothing."""
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


def _run(*arguments: str) -> bytes:
    """Run one of our own command lines in a process of its own, for this one loads no torch; return its output."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=settings.BASE_DIR, check=True, stdout=subprocess.PIPE).stdout
