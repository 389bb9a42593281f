"""An entry that games the score is flagged by its own run, for the organizer first and for everybody once confirmed."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from accounts.models import User
from competitions.models import Phase, Run
from competitions.services import moderation
from evaluation.spec import MetricSuite
from tests.conftest import write_dataset
from tests.workers.stations import SWAP, evaluate, here, scorer, submit
from workers.station import Station

__all__ = ["here", "scorer", "submit"]
pytestmark = pytest.mark.django_db(transaction=True)

COPIES_STYLE = SWAP.replace("return (content // 2 + style // 2)", "return style.copy()")
TRANSFERS = SWAP.replace(
    "return (content // 2 + style // 2)",
    "light = content.mean(axis=2, keepdims=True) / 255\n"
    "        return (style.mean(axis=(0, 1)) * light).astype('uint8')",
)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset folder with 2 public and 9 hidden pairs; flags need 8."""
    return write_dataset(tmp_path / "dataset", hidden=(3, 3))


def board_row(name: str) -> dict[str, object]:
    """Return the row of an entry as everybody reads it."""
    rows = Client().get("/api/v1/competitions/small/leaderboard/").json()["rows"]
    (found,) = [row for row in rows if row["name"] == name]
    return dict(found)


def signed_in(user: User) -> Client:
    """Return a browser."""
    browser = Client()
    browser.force_login(user)
    return browser


def test_a_copy_of_the_style_image_is_flagged_reviewed_and_stays_flagged(
    here: Station,
    submit: Callable[..., Run],
    organizer: User,
    researcher: User,
    phase: Phase,
    suite: MetricSuite,
) -> None:
    run = submit(COPIES_STYLE, name="copier")
    evaluate(here)
    flag = run.flags.get(code="COPY_STYLE")
    assert (flag.verdict, flag.strength) == ("open", 1.0)
    organizing, page = signed_in(organizer), f"/s/{run.submission_id}/"
    assert "COPY_STYLE" in organizing.get(page).content.decode()
    assert "COPY_STYLE" not in signed_in(researcher).get(page).content.decode()
    assert board_row("copier")["flags"] == []

    assert organizing.post(f"/flags/{flag.pk}/review/", {"verdict": "confirmed"}).status_code == 302
    assert board_row("copier")["flags"] == ["COPY_STYLE"]
    assert "COPY_STYLE" in Client().get("/c/small/leaderboard/").content.decode()

    newer = dataclasses.replace(suite, name="sts-newer")
    (again,) = moderation.rescore_phase(phase_pk=phase.pk, suite=newer, user=organizer)
    evaluate(here)
    again.refresh_from_db()
    assert (again.state, again.flags.get(code="COPY_STYLE").verdict) == ("scored", "confirmed")
    assert board_row("copier")["flags"] == ["COPY_STYLE"]
    assert phase.snapshots.order_by("pk").last().rows.get().run == again


def test_an_entry_that_transfers_colors_is_not_called_a_copy(
    here: Station, submit: Callable[..., Run]
) -> None:
    run = submit(TRANSFERS, name="painter")
    evaluate(here)
    run.refresh_from_db()
    assert run.state == "scored"
    assert not run.flags.filter(code__in=["COPY_CONTENT", "COPY_STYLE", "BLEND"]).exists()
