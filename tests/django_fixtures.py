"""Fixtures that need Django: private folders for each test, people, a competition with an open phase."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Team, User
from accounts.services import create_user
from competitions.models import Competition, Phase
from competitions.services.competitions import PhasePlan, create_competition, create_phase, publish
from competitions.services.datasets import import_dataset
from evaluation.spec import MetricSuite


@pytest.fixture(autouse=True)
def private_folders(settings: Settings, tmp_path: Path) -> None:
    """Keep every file that a test makes below its own temporary folder."""
    for name in ("artifacts", "uploads", "worker"):
        (tmp_path / "data" / name).mkdir(parents=True)
    settings.DATA_DIR = tmp_path / "data"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "data" / "uploads"
    settings.WORKER_DIR = tmp_path / "data" / "worker"
    storage = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = settings.STORAGES | {
        "default": storage | {"OPTIONS": {"location": tmp_path / "data" / "artifacts", "base_url": None}}
    }
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # the real one is slow on purpose


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Forget what earlier tests kept: their keys begin at 1 too."""
    cache.clear()


@pytest.fixture
def researcher(db: None) -> User:
    """A user with a team of one."""
    return create_user(username="rosalba", password="a long password 1")


@pytest.fixture
def team(researcher: User) -> Team:
    """The researcher's team of one."""
    return researcher.teams.get()


@pytest.fixture
def stranger(db: None) -> User:
    """A user who has nothing to do with anything."""
    return create_user(username="stranger", password="a long password 2")


@pytest.fixture
def organizer(db: None) -> User:
    """The user who organizes the competition."""
    return create_user(username="organizer", password="a long password 3")


@pytest.fixture
def competition(organizer: User) -> Competition:
    """A published competition without a phase."""
    made = create_competition(
        slug="small",
        title="Small waves",
        summary="Waves on waves.",
        description="A test.",
        organizer=organizer,
    )
    return publish(competition=made)


@pytest.fixture
def phase(competition: Competition, dataset: Path, suite: MetricSuite) -> Phase:
    """An open phase over the small dataset."""
    now = timezone.now()
    plan = PhasePlan(
        slug="main",
        title="Main",
        opens_at=now - timedelta(days=1),
        closes_at=now + timedelta(days=1),
        runs_per_day=3,
    )
    version = import_dataset(folder=dataset, slug="small", title="Small pairs")
    return create_phase(competition=competition, plan=plan, dataset_version=version, suite=suite)
