"""An organizer makes a competition from nothing, tries it out, publishes it, and finds the baselines on its board."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evaluation.intake.example import example_zip
from tests.browser.conftest import Sit
from tests.browser.person import Person
from tests.browser.window import Look
from tests.walks.house import House

pytestmark = pytest.mark.walk
DRY_RUN_SECONDS = 150
TRIED = "Both baselines went through the whole line and have scores: the set-up works."


def write_steps(person: Person, slug: str, folder: Path) -> None:
    """Fill in the first six of the seven steps."""
    person.fill("Address", slug)
    person.fill("Title in English", f"Harbours {slug}")
    person.fill("Title in Chinese", f"港口 {slug}")
    person.fill("Summary in English", "Paint harbours.")
    person.page.locator("#preview").get_by_text(slug).first.wait_for()
    person.press("Save and go on")
    person.page.locator('input[name="suite"][value="sts-demo-2"]').check()
    person.press("Save and go on")
    packed = folder / "pictures.zip"
    packed.write_bytes(example_zip())
    person.choose_file("Zip file with pictures", packed)
    person.press("Upload and look at every file")
    person.page.locator("#report").wait_for()
    person.follow("Go on", within=person.page.get_by_role("main"))
    now = datetime.now(UTC)
    person.fill("Name of the phase", "Main")
    person.fill("Opens (UTC)", f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}")
    person.fill("Closes (UTC)", f"{now + timedelta(days=5):%Y-%m-%dT%H:%M}")
    person.press("Save and go on")
    person.press("Save and go on")  # limits as they are suggested
    person.press("Save and go on")  # people too


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_from_an_empty_form_to_baselines_on_the_board(
    sit: Sit, lived_in: House, language: str, tmp_path: Path
) -> None:
    slug = f"harbours-{language}"
    person = sit(Look(language))
    person.go("/accounts/sign-in/?next=/organize/")
    person.fill("Username or email", "organizer")
    person.page.locator("#id_password").fill("a long password 2")
    person.press("Sign in")
    person.follow("New competition")
    write_steps(person, slug, tmp_path)
    person.press("Start the dry run")
    person.sees(TRIED, seconds=DRY_RUN_SECONDS)
    person.window.settle()
    person.done()
    person.press("Publish")
    person.sees("published")
    board = f"{lived_in.address}/c/{slug}/leaderboard/"

    def has_baselines() -> bool:
        person.page.goto(board)
        return person.page.locator("tr.baseline .who").count() == 2

    lived_in.until(has_baselines, seconds=DRY_RUN_SECONDS)
    person.done()
