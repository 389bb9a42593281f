"""Every page of the site in both languages, both themes, wide and narrow: nothing breaks, nothing weighs too much."""

from collections.abc import Callable

import pytest
import requests
from django.urls import reverse
from playwright.sync_api import Browser

from frontend import urls
from tests.browser.addresses import LEFT_OUT, PAGES, POST, Page
from tests.browser.budgets import BUDGETS
from tests.browser.conftest import Stocked
from tests.browser.window import Look, Visit, Window

# The one that a language begins with, and the other: each theme is seen in each language, width and theme.
THEMES = {"en": ("light", "dark"), "zh-hans": ("dark", "light")}


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
@pytest.mark.parametrize("language", THEMES)
def test_a_page_holds_in_both_themes_wide_and_narrow(
    stocked: Stocked,
    visitor: Callable[[str, str], Window],
    page: Page,
    language: str,
    record: Callable[[str, Visit], None],
) -> None:
    window = visitor(language, page.who)
    theme, other = THEMES[language]
    window.turn(theme=theme, width=1280)
    window.forget()
    visit = window.go(page.path(stocked[1]), status=page.status)
    record(f"{page.name} ({language})", visit)
    window.look_over()
    window.turn(theme=other, width=375)
    window.look_over()
    window.check(visit, BUDGETS[page.kind])


def test_every_address_is_looked_at_or_left_out_for_a_reason() -> None:
    named = {pattern.name for pattern in urls.urlpatterns}
    looked_at = {page.url for page in PAGES}
    assert looked_at | LEFT_OUT.keys() == named
    assert not looked_at & LEFT_OUT.keys()


def test_what_is_said_to_take_forms_alone_shows_no_page(stocked: Stocked) -> None:
    house, keys = stocked
    arguments = {"slug": "small", "submission_id": keys["scored"], "run_id": keys["scored"], "token": "x"}
    arguments |= {"webhook_id": keys["webhook"], "delivery_id": keys["delivery"]}
    for pattern in urls.urlpatterns:
        if LEFT_OUT.get(pattern.name) != POST:
            continue
        filled = {name: arguments.get(name, 1) for name in pattern.pattern.converters}
        answer = requests.get(
            house.address + reverse(pattern.name, kwargs=filled),
            cookies={"sessionid": keys["rosalba"]},
            allow_redirects=False,
            timeout=30,
        )
        # Django's own view of languages leads back instead.
        assert answer.status_code == (302 if pattern.name == "set_language" else 405), pattern.name


@pytest.mark.parametrize("language", THEMES)
def test_a_page_that_does_not_exist_holds_too(visitor: Callable[[str, str], Window], language: str) -> None:
    window = visitor(language, "")
    window.turn(theme="light", width=1280)
    window.go("/nowhere/", status=404)
    window.look_over()
    window.turn(theme="dark", width=375)
    window.look_over()
    window.check()


@pytest.mark.parametrize("language", THEMES)
def test_the_second_factor_is_asked_for_after_the_password(
    browser: Browser, stocked: Stocked, language: str
) -> None:
    window = Window(browser, stocked[0].address, Look(language))
    window.go("/accounts/sign-in/")
    window.page.fill("#id_login", "sofonisba")
    window.page.fill("#id_password", "a long password 3")
    window.page.press("#id_password", "Enter")
    window.page.wait_for_url("**/accounts/sign-in/code/")
    window.look_over()
    window.turn(theme="dark", width=375)
    window.look_over()
    window.check()
    window.close()
