"""A viewer without an account goes from home to a pair, and lays two pictures over each other."""

import pytest

from tests.browser.conftest import Sit
from tests.browser.person import Person
from tests.browser.window import Look

pytestmark = pytest.mark.walk
SPLIT = "How much of the first picture is shown"


def to_a_pair(person: Person) -> None:
    """Go by links from home to the first pair of the gallery."""
    person.go("/")
    person.follow("Small waves")
    person.follow("Leaderboard")
    person.sees("mostly-style")
    person.follow("Gallery")
    person.page.get_by_role("main").locator("a:has(img)").first.click()
    person.page.wait_for_url("**/pair/**")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_slider_shows_more_of_one_picture_and_the_address_keeps_it(sit: Sit, language: str) -> None:
    person = sit(Look(language))
    to_a_pair(person)
    split = person.page.get_by_label(person.say(SPLIT))
    split.focus()
    for _ in range(20):
        person.page.keyboard.press("ArrowRight")
    person.page.wait_for_url("**at=70*")
    assert "30%" in cover(person)
    person.page.reload()
    assert split.input_value() == "70"
    assert "30%" in cover(person)
    person.press("Side by side")
    person.page.wait_for_url("**mode=beside*")
    assert cover(person) == "none"
    person.done()


def test_the_whole_way_by_keyboard(sit: Sit) -> None:
    person = sit(Look())
    person.go("/")
    person.page.keyboard.press("Tab")
    skip = person.page.get_by_role("link", name=person.say("Skip to content"))
    assert skip.evaluate("(link) => link === document.activeElement && link.getBoundingClientRect().top >= 0")
    person.enter()
    for name in ("Small waves", "Gallery"):
        person.tab_to(name)
        person.enter()
    person.tab_until("(one) => one.matches('main a:has(img)')")
    person.enter()
    person.tab_until("(one) => one.matches('[data-frame]')")
    person.page.keyboard.press("+")
    person.page.wait_for_url("**zoom=1.5*")
    person.done()


def test_a_phone_moves_the_slider_by_a_finger(sit: Sit) -> None:
    person = sit(Look("zh-hans", "dark", 375))
    to_a_pair(person)
    frame = person.page.locator('[data-side="b"] .frame')
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    assert box is not None
    person.page.touchscreen.tap(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    person.page.wait_for_url("**at=25*")
    assert "75%" in cover(person)
    person.done()


def test_without_scripts_the_pictures_stand_side_by_side(sit: Sit) -> None:
    person = sit(Look(has_scripts=False))
    to_a_pair(person)
    assert not person.page.get_by_label(person.say(SPLIT)).is_visible()
    boxes = [person.page.locator(f'[data-side="{side}"] img').bounding_box() for side in "ab"]
    left, right = boxes
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"]
    assert left["y"] == right["y"]
    person.press("Dark", within=person.page.get_by_role("contentinfo"))
    assert person.page.locator("html[data-theme=dark]").count() == 1
    person.page.get_by_role("button", name="中文").click()
    assert person.page.locator("html[lang=zh-Hans]").count() == 1
    person.done()


def cover(person: Person) -> str:
    """Return how the first picture is cut where it lies over the second one."""
    return str(
        person.page.locator('[data-side="a"] .frame').evaluate("(frame) => getComputedStyle(frame).clipPath")
    )
