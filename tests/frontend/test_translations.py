"""Both languages are complete, also for the texts that other rooms wrote."""

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.test import Client
from django.utils.translation import gettext, override

from evaluation.failures import FAILURES
from frontend.translations import all_texts, catalogues, faults, foreign_texts


def test_every_language_but_english_has_a_catalogue() -> None:
    assert [path.parents[1].name for path, _ in catalogues()] == ["zh_Hans"]
    assert {code for code, _ in settings.LANGUAGES} == {"en", "zh-hans"}


@pytest.mark.parametrize("catalogue", [catalogue for _, catalogue in catalogues()], ids=str)
def test_no_text_is_missing_untranslated_doubtful_or_left_over(catalogue: Catalog) -> None:
    assert faults(catalogue) == []


def test_the_search_finds_texts_of_templates_modules_and_other_rooms() -> None:
    found = {message.id for message in all_texts()}
    assert "How you are scored" in found  # a template
    assert "not open yet" in found  # a module
    assert ("%(n)s worker is alive.", "%(n)s workers are alive.") in found  # a plural
    assert FAILURES["OUT_OF_MEMORY"].advice in found


def test_a_missing_an_empty_and_a_broken_text_are_faults() -> None:
    path, catalogue = next(catalogues())
    catalogue.delete("How you are scored")
    catalogue["Whole log"].string = ""
    catalogue["Place %(place)s of %(n)s in the queue."].string = "第 %(place)s 位"
    catalogue["Sign in"].flags.add("fuzzy")
    assert faults(catalogue) == [
        "fuzzy: Sign in",
        "missing: How you are scored",
        "placeholders differ: Place %(place)s of %(n)s in the queue.",
        "untranslated: Whole log",
    ]


def test_failures_and_metrics_are_read_in_chinese() -> None:
    with override("zh-hans"):
        for text in foreign_texts():
            assert gettext(text) != text or text in (
                "SSIM",
                "MS-SSIM",
                "LPIPS",
                "CFSD",
                "KID",
                "FID",
                "ArtFID",
            )


@pytest.mark.django_db
def test_the_language_is_chosen_by_cookie_and_named_in_the_page(client: Client) -> None:
    page = client.get("/competitions/").content.decode()
    assert '<html lang="en"' in page
    sent = client.post("/settings/language/", {"language": "zh-hans", "next": "/competitions/"})
    assert sent.headers["Location"] == "/competitions/"
    page = client.get("/competitions/").content.decode()
    assert '<html lang="zh-Hans"' in page
    assert "竞赛" in page


@pytest.mark.django_db
def test_the_language_of_the_browser_is_taken_at_first(client: Client) -> None:
    page = client.get("/", headers={"accept-language": "zh-CN,zh;q=0.9"}).content.decode()
    assert "风格迁移" in page
