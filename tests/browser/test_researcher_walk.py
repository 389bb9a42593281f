"""A researcher signs up, hands a generator in, watches its run, and finds it on the board."""

from pathlib import Path

import pytest

from tests.browser.conftest import Sit
from tests.browser.furnish import BLEND
from tests.browser.mail import Mailbox
from tests.browser.person import Person
from tests.browser.window import Look
from tests.conftest import python_archive

pytestmark = pytest.mark.walk
PASSWORD = "waves upon waves 7"
RUN_SECONDS = 120


def sign_up(person: Person, mails: Mailbox, name: str) -> None:
    """Sign up, open the link in the mail, and sign in."""
    person.go("/")
    person.follow("Sign in")
    person.follow("Sign up")
    person.fill("Username", name)
    person.fill("Email", f"{name}@example.org")
    person.page.locator("#id_password1").fill(PASSWORD)
    person.page.locator("#id_password2").fill(PASSWORD)
    person.press("Sign up")
    person.sees("Check your mail")
    person.page.goto(mails.link_for(f"{name}@example.org"))
    person.press("Confirm")
    if "/sign-in/" in person.page.url:
        person.fill("Username or email", name)
        person.page.locator("#id_password").fill(PASSWORD)
        person.press("Sign in")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_from_signing_up_to_ones_own_row(sit: Sit, mails: Mailbox, language: str, tmp_path: Path) -> None:
    name = f"giulia-{language}"
    archive = python_archive(
        tmp_path / f"{name}.zip", BLEND.format(parts=2, content=1, style=1) + f"# {language}"
    )
    person = sit(Look(language, "dark"))
    sign_up(person, mails, name)
    person.follow("Competitions")
    person.follow("Small waves")
    person.follow("Submit")
    person.choose_file("Archive", archive)
    person.fill("Note", "Half of each.")
    person.press("Submit")
    person.page.wait_for_url("**/s/*/")
    person.page.locator("#progress[data-state=scored]").wait_for(timeout=1000 * RUN_SECONDS)
    person.sees("Scores")
    assert person.page.locator("#outputs img").count() > 0
    person.done()
    person.follow("See the leaderboard")
    row = person.page.get_by_role("row").filter(has_text=name).first
    assert person.say("yours") in row.inner_text()
    assert row.locator("img").count() == 2
    person.done()
