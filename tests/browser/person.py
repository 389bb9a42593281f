"""Somebody who finds the way by what is written on the page, in one language."""

import json
from pathlib import Path

from django.utils.translation import gettext, override
from playwright.sync_api import Locator

from tests.browser.window import PATIENCE_SECONDS, Window

MOST_TABS = 120


class Person:
    """Reads labels, presses buttons, follows links; each new page is looked over."""

    def __init__(self, window: Window) -> None:
        """Sit down at a window."""
        self.window, self.page = window, window.page

    def say(self, text: str) -> str:
        """Say something of ours in this person's language."""
        with override(self.window.look.language):
            return gettext(text)

    def go(self, path: str) -> None:
        """Type an address."""
        self.window.go(path)
        self._arrive()

    def press(self, text: str, *, within: Locator | None = None) -> None:
        """Press the first button of that name in the page's own part."""
        place = within or self.page.get_by_role("main")
        place.get_by_role("button", name=self.say(text), exact=True).first.click()
        self._arrive()

    def follow(self, text: str, *, within: Locator | None = None) -> None:
        """Follow the first link of that name."""
        place = within or self.page.locator("body")
        place.get_by_role("link", name=self.say(text), exact=True).first.click()
        self._arrive()

    def fill(self, label: str, value: str) -> None:
        """Write into the first field of that label."""
        self.page.get_by_label(self.say(label), exact=True).first.fill(value)

    def choose_file(self, label: str, path: Path) -> None:
        """Choose a file for the field of that label."""
        self.page.get_by_label(self.say(label), exact=True).set_input_files(path)

    def sees(self, text: str, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until a text of ours can be read in the page's own part."""
        found = self.page.get_by_role("main").get_by_text(self.say(text)).filter(visible=True)
        found.first.wait_for(timeout=1000 * seconds)

    def tab_to(self, text: str) -> None:
        """Press Tab until what has the focus reads so."""
        self.tab_until(f"(one) => one.innerText.trim() === {json.dumps(self.say(text))}")

    def tab_until(self, is_right: str) -> None:
        """Press Tab until a script says that what has the focus is right."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(f"() => ({is_right})(document.activeElement)"):
                return
        raise AssertionError(f"Tab reaches nothing for which {is_right} on {self.page.url}")

    def enter(self) -> None:
        """Press Enter."""
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        self._arrive()

    def done(self) -> None:
        """Fail with whatever was wrong on the way."""
        self.window.look_over()
        self.window.check()

    def _arrive(self) -> None:
        self.page.wait_for_load_state("load")
        self.window.settle()
        self.window.measure()
