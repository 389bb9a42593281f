"""Single keys: they act where nobody types, are listed on the page, and can be switched off."""

from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Sit
from tests.browser.person import Person
from tests.browser.window import Look

pytestmark = pytest.mark.walk


def test_single_keys_lead_on_except_while_somebody_types_or_has_switched_them_off(sit: Sit) -> None:
    person = sit(Look())
    press = person.page.keyboard.press
    person.go("/c/small/gallery/")
    press("/")
    person.page.wait_for_url("**/competitions/#q")
    assert focused(person, "(one) => one.type") == "search"
    person.page.keyboard.type("?gl/jk")
    assert person.page.get_by_role("searchbox").input_value() == "?gl/jk"
    assert not person.page.get_by_role("dialog").is_visible()

    person.go("/c/small/gallery/")
    for key in ("j", "j", "k"):
        press(key)
    first = person.page.locator("main a:has(img)").first
    assert first.evaluate("(link) => link === document.activeElement")
    press("Enter")
    person.page.wait_for_url("**/pair/**")
    first_pair = urlsplit(person.page.url).path
    press("j")
    person.page.wait_for_url(lambda url: "/pair/" in url and urlsplit(url).path != first_pair)
    press("k")
    person.page.wait_for_url(lambda url: urlsplit(url).path == first_pair)
    press("g")
    press("l")
    person.page.wait_for_url("**/c/small/leaderboard/")

    press("?")
    person.page.get_by_role("dialog", name=person.say("Keys")).wait_for()
    person.window.look_over()
    press("Escape")
    assert not person.page.get_by_role("dialog").is_visible()

    person.go("/help/#keys")
    person.press("Switch these keys off")
    press("/")
    press("?")
    person.window.settle()
    assert person.page.url.endswith("/help/#keys")
    assert not person.page.locator("dialog").count()
    person.press("Switch these keys on")
    press("?")
    person.page.get_by_role("dialog").wait_for()
    person.done()


def focused(person: Person, what: str) -> str:
    """Return something of what has the focus."""
    return str(person.page.evaluate(f"() => ({what})(document.activeElement)"))
