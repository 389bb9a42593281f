"""The commands of operators: a dataset comes in, a competition is made from it, what is wrong is told."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import issue_token
from competitions.models import Competition, Dataset, DatasetVersion, Phase
from tests.api_fixtures import API
from tests.conftest import write_dataset

pytestmark = pytest.mark.django_db


def run(*arguments: object) -> str:
    """Run a command and return what it writes."""
    out = StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


def create(**changes: object) -> str:
    """Create a competition with the options of a good one, changed."""
    options: dict[str, object] = {
        "title": "Large waves",
        "dataset": "waves",
        "suite": "sts-demo-1",
        "organizer": "organizer",
        "opens": "2026-01-01",
        "closes": "2026-12-31T23:59:59+02:00",
    }
    named = [f"--{name.replace('_', '-')}={value}" for name, value in (options | changes).items()]
    return run("create_competition", "large", *named)


@pytest.fixture
def waves(tmp_path: Path) -> Path:
    """A dataset folder at the size of the demo suite, imported as `waves`."""
    folder = write_dataset(tmp_path / "waves", size=256)
    run("import_dataset", folder, "--slug", "waves", "--title", "Waves")
    return folder


def test_a_folder_becomes_a_version_with_credits(dataset: Path, tmp_path: Path) -> None:
    credits = tmp_path / "CREDITS.md"
    credits.write_text("Drawn by 波.", encoding="utf-8")
    told = run("import_dataset", dataset, "--slug", "waves", "--title", "Waves", "--credits", credits)
    assert told == "waves:1: 6 pairs, 4 of them hidden, 64 px\n"
    assert DatasetVersion.objects.get().credits == "Drawn by 波."


def test_a_folder_that_is_refused_is_told_with_code_and_advice(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^INVALID_DATASET: .* Name the folder that holds pairs.json\.$"):
        run("import_dataset", tmp_path, "--slug", "waves", "--title", "Waves")


@pytest.mark.parametrize(("option", "value"), [("--slug", "not a slug"), ("--title", "t" * 121)])
def test_a_name_that_is_refused_is_told(dataset: Path, option: str, value: str) -> None:
    fields = {"--slug": "waves", "--title": "Waves", option: value}
    with pytest.raises(CommandError, match=f"^INVALID_INPUT: {option[2:]}: "):
        run("import_dataset", dataset, *(part for pair in fields.items() for part in pair))
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_credits_that_cannot_be_read_are_named(dataset: Path, tmp_path: Path, content: bytes | None) -> None:
    credits = tmp_path / "CREDITS.md"
    if content is not None:
        credits.write_bytes(content)
    with pytest.raises(CommandError, match=r"^INVALID_INPUT: .*CREDITS.md cannot be read"):
        run("import_dataset", dataset, "--slug", "waves", "--title", "Waves", "--credits", credits)
    assert not Dataset.objects.exists()


def test_a_competition_is_made_with_its_phase(waves: Path, organizer: User, tmp_path: Path) -> None:
    text = tmp_path / "about.md"
    text.write_text("Paint **waves**.", encoding="utf-8")
    told = create(runs_per_day=7, required_coverage=0.5, counting="latest", description=text)
    phase = Phase.objects.select_related("competition").get()
    assert told == "/c/large/: phase 'main' on Waves v1; only organizers see it.\n"
    assert (phase.runs_per_day, phase.required_coverage, phase.counting) == (7, 0.5, "latest")
    assert phase.opens_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert phase.closes_at.isoformat() == "2026-12-31T21:59:59+00:00"
    assert phase.competition.description == "Paint **waves**."
    assert not phase.competition.is_published
    assert list(phase.competition.organizers.all()) == [organizer]


def test_a_competition_is_published_on_demand_and_takes_the_version_that_is_named(
    waves: Path, organizer: User, tmp_path: Path
) -> None:
    more = write_dataset(tmp_path / "more", n_public=3, size=256)
    run("import_dataset", more, "--slug", "waves", "--title", "Waves")
    named = ("--dataset=waves:1", "--suite=sts-demo-1", "--organizer=organizer", "--closes=2026-12-31")
    run("create_competition", "first", "--title=First", "--opens=2026-01-01", "--publish", *named)
    create()
    assert Phase.objects.get(competition__slug="first").dataset_version.number == 1
    assert Phase.objects.get(competition__slug="large").dataset_version.number == 2
    assert Competition.objects.get(is_published=True).slug == "first"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"opens": "tomorrow"}, "'tomorrow' is no date in ISO 8601"),
        ({"closes": "0001-01-01T00:00+10:00"}, "is no date in ISO 8601"),
        ({"closes": "2025-12-31"}, "^INVALID_INPUT: .*phase_opens_before_it_closes"),
        ({"organizer": "nobody"}, "^NOT_FOUND: There is no user 'nobody'. Sign up"),
        ({"dataset": "wares"}, "^NOT_FOUND: There is no dataset 'wares'. Known: waves:1"),
        ({"dataset": "waves:2"}, "^NOT_FOUND: There is no dataset 'waves:2'"),
        ({"dataset": f"waves:{10**30}"}, "^NOT_FOUND: There is no dataset"),
        ({"dataset": "waves:one"}, "^NOT_FOUND: There is no dataset 'waves:one'"),
        ({"suite": "sts-9"}, "^INVALID_SUITE: .*Known suites: .*sts-demo-1"),
        ({"counting": "worst"}, "^INVALID_INPUT: counting: "),
        ({"runs_per_day": "0"}, "^INVALID_INPUT: runs_per_day: "),
        ({"title": "t" * 121}, "^INVALID_INPUT: title: "),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_made(
    waves: Path, organizer: User, changes: dict[str, object], told: str
) -> None:
    with pytest.raises(CommandError, match=told):
        create(**changes)
    assert not Competition.objects.exists()


def test_a_competition_is_not_made_twice_nor_at_another_size(
    waves: Path, organizer: User, dataset: Path
) -> None:
    run("import_dataset", dataset, "--slug", "small", "--title", "Small")
    with pytest.raises(CommandError, match="^INVALID_INPUT: .*the dataset has 64 px"):
        create(dataset="small")
    create()
    with pytest.raises(CommandError, match="^INVALID_INPUT: slug: .*already exists"):
        create()
    assert Competition.objects.count() == 1


def test_an_account_of_createsuperuser_submits_over_the_api(
    phase: Phase, make_archive: Callable[..., Path]
) -> None:
    call_command("createsuperuser", "--noinput", "--username", "root", "--email", "root@example.org")
    key = issue_token(user=User.objects.get(username="root"), name="laptop")[1]
    program = APIClient(headers={"Authorization": f"Token {key}"})
    with make_archive().open("rb") as archive:
        sent = {"archive": archive, "competition": "small"}
        answer = program.post(f"{API}/submissions/", sent, format="multipart")
    assert (answer.status_code, answer.json()["team"]) == (201, "root")


def test_an_account_of_createsuperuser_is_told_its_team(db: None) -> None:
    call_command("createsuperuser", "--noinput", "--username", "root", "--email", "root@example.org")
    key = issue_token(user=User.objects.get(username="root"), name="laptop")[1]
    program = APIClient(headers={"Authorization": f"Token {key}"})
    assert program.get(f"{API}/me/").json()["teams"] == [{"slug": "root", "name": "root"}]
