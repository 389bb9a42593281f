"""What is refused stays on the page with the reason, in both languages, and nothing that was typed is lost."""

from collections.abc import Callable, Mapping

import pytest

from tests.browser.conftest import Stocked
from tests.browser.person import Person
from tests.browser.window import Window

# Address, who is signed in, what is typed, the button, and what the server answers.
FORMS = {
    "sign-in": ("/accounts/sign-in/", "", {"login": "rosalba", "password": "wrong"}, "Sign in", 200),
    "sign-up": (
        "/accounts/sign-up/",
        "",
        {"username": "giulia", "email": "giulia@example.org", "password1": "1", "password2": "2"},
        "Sign up",
        200,
    ),
    "new competition": (
        "/organize/new/",
        "organizer",
        {"slug": "small", "summary": "Paint the sea."},
        "Save and go on",
        400,
    ),
    "limits": ("/organize/harbours/setup/limits/", "organizer", {"memory_mb": "1"}, "Save and go on", 400),
    "announcement": (
        "/organize/small/",
        "organizer",
        {"text": "A long explanation."},
        "Announce to everybody",
        400,
    ),
    "team": ("/teams/", "rosalba", {"name": "  "}, "Start a team", 400),
}
SECRET = ("password", "password1", "password2")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("form", FORMS)
def test_a_refused_form_says_why_and_keeps_what_was_typed(
    stocked: Stocked, visitor: Callable[[str, str], Window], form: str, language: str
) -> None:
    path, who, typed, button, status = FORMS[form]
    window = visitor(language, who)
    person = Person(window)
    window.turn(theme="dark", width=1280)
    person.go(path)
    send(person, typed, button, status)
    assert window.page.get_by_role("main").get_by_role("alert").first.inner_text().strip()
    for name, value in typed.items():
        if name not in SECRET:
            assert window.page.locator(f"main [name={name}]").first.input_value().strip() == value.strip()
    window.look_over()
    window.turn(theme="light", width=375)
    window.look_over()
    window.check()


def send(person: Person, typed: Mapping[str, str], button: str, status: int) -> None:
    """Type, and send the form past the browser's own checks."""
    for name, value in typed.items():
        person.page.locator(f"main [name={name}]").first.fill(value)
    person.page.evaluate(
        "() => document.querySelectorAll('main form').forEach((one) => { one.noValidate = true; })"
    )
    with person.window.refusing(status), person.page.expect_navigation():
        person.press(button)


@pytest.mark.parametrize(
    "path",
    [
        "/c/small/leaderboard/?slice=nonsense&page=-1",
        "/c/small/gallery/?by=nobody",
        "/c/small/pair/{pair}/?a=nothing",
        "/competitions/?state=nonsense",
        "/submissions/?state=nonsense",
    ],
)
def test_an_address_without_sense_shows_the_page_with_a_note(
    stocked: Stocked, visitor: Callable[[str, str], Window], path: str
) -> None:
    window = visitor("zh-hans", "rosalba")
    window.turn(theme="light", width=1280)
    window.go(path.format(**stocked[1]))
    assert window.page.get_by_role("status").first.inner_text().strip()
    window.look_over()
    window.check()
