"""The demo: passwords that are printed work, its hidden styles are secret, and it is made whole or not at all."""

import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import User
from accounts.services import create_user
from competitions.errors import InvalidInput
from competitions.management.commands.seed_demo import ACCOUNTS, make_accounts, make_competition, read_seed
from competitions.models import Competition, Dataset, ImagePair
from competitions.storage import open_file
from evaluation.demo.families import FAMILIES, paint_style
from evaluation.images import encode_png

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept(settings: Settings) -> Path:
    """The file that keeps the passwords; not there yet."""
    return Path(settings.DATA_DIR) / "demo_accounts.json"


def works(username: str, password: str) -> bool:
    """Say whether the password opens the account."""
    return User.objects.get(username=username).check_password(password)


def test_every_account_of_a_first_start_opens_with_its_kept_password(kept: Path) -> None:
    made = make_accounts()
    assert made.keys() == ACCOUNTS.keys()
    assert json.loads(kept.read_text()) == made
    assert all(works(name, password) for name, password in made.items())
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir() if path.is_file()] == [kept.name]


def test_a_second_start_changes_no_password(kept: Path) -> None:
    assert make_accounts() == make_accounts() == json.loads(kept.read_text())


def test_a_new_database_gets_the_kept_passwords(kept: Path) -> None:
    first = make_accounts()
    User.objects.all().delete()
    assert make_accounts() == first
    assert all(works(name, password) for name, password in first.items())


def test_passwords_are_kept_before_the_first_account_is_created(kept: Path) -> None:
    first = make_accounts()
    User.objects.all().delete()
    kept.unlink()
    kept.mkdir()  # the file cannot be written now
    with pytest.raises(OSError, match="directory"):
        make_accounts()
    assert not User.objects.exists()
    kept.rmdir()
    assert make_accounts() != first


def test_an_account_whose_password_nobody_kept_is_left_alone_and_not_listed(kept: Path) -> None:
    create_user(username="organizer", password="an older password 1")
    made = make_accounts()
    assert made.keys() == {"researcher", "admin"}
    assert json.loads(kept.read_text()) == made
    assert works("organizer", "an older password 1")


def test_a_password_that_its_user_has_changed_is_listed_no_longer(kept: Path) -> None:
    make_accounts()
    user = User.objects.get(username="researcher")
    user.set_password("my own password 1")
    user.save()
    assert "researcher" not in make_accounts()
    assert "researcher" not in json.loads(kept.read_text())
    assert works("researcher", "my own password 1")


def test_the_seed_is_made_once_for_each_installation_and_private(settings: Settings, tmp_path: Path) -> None:
    first = read_seed()
    path = Path(settings.DATA_DIR) / "demo_seed"
    assert read_seed() == first == path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settings.DATA_DIR = tmp_path
    assert read_seed() != first


def test_a_seed_that_is_set_counts_and_is_not_kept(settings: Settings) -> None:
    settings.DEMO_SEED = "0"
    assert read_seed() == "0"
    assert not (Path(settings.DATA_DIR) / "demo_seed").exists()


def test_a_competition_that_cannot_be_finished_leaves_nothing_behind(dataset: Path, organizer: User) -> None:
    (dataset / "CREDITS.md").write_text("Waves.")
    with pytest.raises(InvalidInput):  # the suite scores other sizes than this dataset's
        make_competition(dataset, organizer)
    assert not Competition.objects.exists()
    assert not Dataset.objects.exists()


@pytest.mark.slow
def test_the_demo_is_seeded_with_styles_that_only_this_installation_can_paint(settings: Settings) -> None:
    create_user(username="admin", password="an older password 1", is_staff=True)
    out = StringIO()
    call_command("seed_demo", stdout=out)
    assert "The password of admin is unknown; manage.py changepassword admin sets one." in out.getvalue()
    phase = Competition.objects.get(slug="demo").phases.get()
    pairs = ImagePair.objects.filter(version=phase.dataset_version, split="hidden").select_related("style")
    stored = set()
    for pair in pairs:
        with open_file(pair.style.sha256) as file:
            stored.add(file.read())
    hidden = [family for family in FAMILIES if family.split == "hidden"]
    assert stored == {encode_png(paint_style(family, int(read_seed()), 256)) for family in hidden}
    assert not stored & {encode_png(paint_style(family, 0, 256)) for family in hidden}
