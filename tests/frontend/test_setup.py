"""An organizer makes a competition in the browser: seven steps, nothing typed is lost, strangers see nothing."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from competitions.models import Competition, Draft, Phase, Run
from evaluation.intake.example import example_zip
from tests.competitions.setting_up import finish_dry_run
from tests.frontend.test_pages import Page

TEXTS = {
    "title": "Harbours",
    "title_zh": "港口",
    "summary": "Paint harbours.",
    "summary_zh": "",
    "description": "## Why\n<script>alert(1)</script>",
    "description_zh": "",
}
LIMITS = {
    "runs_per_day": "3",
    "runs_total": "30",
    "pair_seconds": "10",
    "load_seconds": "60",
    "run_seconds": "600",
    "memory_mb": "2048",
    "device": "cpu",
    "required_coverage": "0.9",
    "counting": "latest",
}


@pytest.fixture
def browser(client: Client, organizer: User) -> Client:
    """The organizer's browser."""
    client.force_login(organizer)
    return client


@pytest.fixture
def begun(browser: Client) -> Client:
    """A competition with its first step done."""
    answer = browser.post("/organize/new/", {"slug": "harbours", **TEXTS})
    assert answer.headers["Location"] == "/organize/harbours/setup/task/"
    return browser


def at(step: str) -> str:
    return f"/organize/harbours/setup/{step}/"


def phases(*rows: tuple[str, int, int]) -> dict[str, str]:
    """Write a form of phases: name, and days from now of beginning and end."""
    now = timezone.now()
    fields = {"phases-TOTAL_FORMS": str(len(rows)), "phases-INITIAL_FORMS": "0"}
    for n, (title, opens, closes) in enumerate(rows):
        fields[f"phases-{n}-title"] = title
        for name, days in (("opens_at", opens), ("closes_at", closes)):
            fields[f"phases-{n}-{name}"] = (now + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")
    return fields


def upload(browser: Client, data: bytes | None = None) -> object:
    file = SimpleUploadedFile("data.zip", example_zip() if data is None else data, "application/zip")
    return browser.post("/organize/harbours/upload/", {"archive": file})


def complete(browser: Client) -> None:
    """Fill in every step but the last."""
    steps = [
        ("task", {"suite": "sts-demo-2"}),
        ("dates", phases(("Warm-up", -1, 5), ("Final", 6, 20))),
        ("limits", LIMITS),
        ("people", {"organizers": "organizer", "is_listed": "yes"}),
    ]
    for step, fields in steps:
        assert browser.post(at(step), fields).status_code == 302, step
    assert upload(browser).status_code == 302  # type: ignore[attr-defined]


def test_seven_steps_lead_from_nothing_to_a_published_competition(begun: Client) -> None:
    complete(begun)
    page = begun.get(at("publish")).content.decode()
    assert "Nothing has been tried yet." in page
    assert begun.post("/organize/harbours/dry-run/").headers["Location"] == at("publish")
    assert Run.objects.filter(purpose="dry_run").count() == 2
    assert 'hx-trigger="every 3s"' in begun.get(at("publish")).content.decode()
    finish_dry_run()
    assert "the set-up works" in begun.get(at("publish")).content.decode()
    assert begun.post("/organize/harbours/publish/", {}).headers["Location"] == "/organize/harbours/"
    public = Client().get("/c/harbours/").content.decode()
    assert "Harbours" in public
    assert "<script>alert" not in public
    assert {phase.counting for phase in Phase.objects.all()} == {"latest"}


def test_two_baselines_of_the_dry_run_are_put_beside_the_entries(begun: Client) -> None:
    complete(begun)
    begun.post("/organize/harbours/dry-run/")
    finish_dry_run()
    begun.post("/organize/harbours/publish/", {})
    kinds = Run.objects.filter(purpose="score").values_list("submission__kind", "submission__name")
    assert {kind for kind, _ in kinds} == {"baseline"}
    assert len(kinds) == 2


def test_publishing_without_a_dry_run_needs_a_reason(begun: Client) -> None:
    complete(begun)
    refused = begun.post("/organize/harbours/publish/", {"reason": "no"})
    assert refused.status_code == 400
    assert "This set-up has not been tried, and no reason is given." in refused.content.decode()
    assert not Competition.objects.get().is_published
    begun.post("/organize/harbours/publish/", {"reason": "The workers are being moved today."})
    assert Competition.objects.get().is_published


def test_a_competition_with_missing_steps_is_neither_tried_nor_published(begun: Client) -> None:
    for address in ("dry-run", "publish"):
        answer = begun.post(f"/organize/harbours/{address}/", {"reason": "long enough a reason"})
        assert answer.status_code == 400
        assert "Some steps are not complete." in answer.content.decode()
    assert not Run.objects.exists()


def test_the_list_of_steps_says_what_is_missing(begun: Client) -> None:
    page = begun.get(at("task")).content.decode()
    assert "No metric suite is chosen." in page
    begun.post(at("task"), {"suite": "sts-demo-2"})
    assert "No metric suite is chosen." not in begun.get(at("task")).content.decode()


def test_overlapping_phases_are_refused_and_stay_on_the_form_until_they_are_mended(begun: Client) -> None:
    answer = begun.post(at("dates"), phases(("Early", 1, 10), ("Late", 9, 20)))
    assert answer.status_code == 400
    assert "Two phases overlap." in answer.content.decode()
    again = begun.get(at("dates")).content.decode()
    assert 'value="Early"' in again
    assert "This is what you typed last." in again
    assert "What was typed last was not accepted yet." in again
    begun.post(at("dates"), phases(("Early", 1, 9), ("Late", 9, 20)))
    mended = begun.get(at("dates")).content.decode()
    assert "This is what you typed last." not in mended
    assert Draft.objects.get().typed == {}


def test_what_is_kept_is_what_was_typed_and_nothing_else(organizer: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(organizer)
    browser.get("/organize/new/")
    token = browser.cookies["csrftoken"].value
    browser.post("/organize/new/", {"slug": "harbours", **TEXTS, "csrfmiddlewaretoken": token})
    browser.post(at("limits"), {"memory_mb": "much", "csrfmiddlewaretoken": token})
    assert Draft.objects.get().typed == {"limits": {"memory_mb": ["much"]}}


def test_half_a_row_of_a_phase_is_told_beside_its_field(begun: Client) -> None:
    fields = phases(("Early", 1, 2)) | {"phases-0-closes_at": ""}
    page = begun.post(at("dates"), fields).content.decode()
    assert "Fill in the whole row, or empty it." in page


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"runs_per_day": "99"}, "make no sense"),
        ({"run_seconds": "61", "load_seconds": "60"}, "first pair is done"),
    ],
)
def test_limits_that_contradict_each_other_are_refused(
    begun: Client, change: dict[str, str], text: str
) -> None:
    answer = begun.post(at("limits"), LIMITS | change)
    assert answer.status_code == 400
    assert text in answer.content.decode()
    assert f'value="{next(iter(change.values()))}"' in begun.get(at("limits")).content.decode()


def test_an_unknown_organizer_is_refused_and_oneself_can_leave(begun: Client, stranger: User) -> None:
    assert (
        "There is no user"
        in begun.post(at("people"), {"organizers": "nobody", "is_listed": "no"}).content.decode()
    )
    begun.post(at("people"), {"organizers": "stranger", "is_listed": "no"})
    assert begun.get("/organize/harbours/").status_code == 404
    begun.force_login(stranger)
    assert begun.get("/organize/harbours/").status_code == 200


def test_an_address_that_is_taken_stays_on_the_form(begun: Client) -> None:
    answer = begun.post("/organize/new/", {"slug": "harbours", **TEXTS, "title": "Other"})
    assert answer.status_code == 400
    assert 'value="Other"' in answer.content.decode()
    assert Competition.objects.count() == 1


def test_a_sixth_draft_is_refused(browser: Client) -> None:
    for n in range(5):
        assert browser.post("/organize/new/", {"slug": f"c{n}", **TEXTS}).status_code == 302
    answer = browser.post("/organize/new/", {"slug": "c6", **TEXTS})
    assert (answer.status_code, "QUOTA_EXCEEDED" in answer.content.decode()) == (400, True)


def test_the_preview_shows_what_is_typed_and_saves_nothing(begun: Client) -> None:
    typed = TEXTS | {"title": "Ports <b>", "description": "<script>x</script>"}
    page = begun.post("/organize/harbours/preview/", typed).content.decode()
    assert "Ports &lt;b&gt;" in page
    assert "<script>" not in page
    assert Competition.objects.get().title == "Harbours"
    assert "Warm-up" not in begun.post("/organize/preview/", TEXTS).content.decode()
    dated = begun.post("/organize/harbours/preview/", phases(("A", 1, 2))).content.decode()
    assert "not open yet" in dated


def test_readers_get_their_language_and_a_note_where_it_is_missing(begun: Client) -> None:
    complete(begun)
    begun.post("/organize/harbours/publish/", {"reason": "nobody is there to wait"})
    page = Client(headers={"accept-language": "zh-hans"}).get("/c/harbours/").content.decode()
    assert "<h1>港口</h1>" in page
    assert '<div lang="en">' in page
    assert "<h1>Harbours</h1>" in Client().get("/c/harbours/").content.decode()


def test_an_unlisted_competition_is_found_by_its_address_only(begun: Client) -> None:
    complete(begun)
    begun.post(at("people"), {"organizers": "organizer", "is_listed": "no"})
    begun.post("/organize/harbours/publish/", {"reason": "nobody is there to wait"})
    stranger = Client()
    assert stranger.get("/c/harbours/").status_code == 200
    assert "harbours" not in stranger.get("/competitions/").content.decode()
    assert "harbours" not in stranger.get("/api/v1/competitions/").content.decode()
    assert "harbours" in begun.get("/competitions/").content.decode()


def test_after_publishing_task_and_data_are_locked_and_changed_dates_are_told(begun: Client) -> None:
    complete(begun)
    begun.post("/organize/harbours/publish/", {"reason": "nobody is there to wait"})
    assert begun.post(at("task"), {"suite": "sts-demo-1"}).status_code == 400
    assert upload(begun).status_code == 400  # type: ignore[attr-defined]
    assert {phase.suite.name for phase in Phase.objects.all()} == {"sts-demo-2"}
    assert "as they were" in Client().get("/c/harbours/news/").content.decode()
    begun.post(at("dates"), phases(("Warm-up", -1, 5), ("Final", 6, 30)))
    news = Client().get("/c/harbours/news/").content.decode()
    assert "Final: End" in news
    assert "organizer" in news
    begun.post(at("limits"), LIMITS | {"memory_mb": "1024"})
    assert "Memory in MB" in Client().get("/c/harbours/news/").content.decode()


@pytest.mark.parametrize(
    "address",
    [
        "/organize/harbours/",
        "/organize/harbours/setup/basics/",
        "/organize/harbours/setup/data/",
        "/organize/harbours/dry-run/progress/",
        "/organize/harbours/pictures/" + "0" * 64 + "/",
    ],
)
def test_strangers_learn_nothing_of_a_draft(begun: Client, stranger: User, address: str) -> None:
    begun.force_login(stranger)
    assert begun.get(address, headers={"hx-request": "true"}).status_code == 404
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize(
    "address", ["setup/basics", "upload", "folder", "dry-run", "publish", "announce", "preview"]
)
def test_strangers_change_nothing_of_a_draft(begun: Client, stranger: User, address: str) -> None:
    begun.force_login(stranger)
    file = SimpleUploadedFile("data.zip", example_zip())
    sent = {**TEXTS, "archive": file, "folder": "/", "text": "", "reason": "a long reason"}
    assert begun.post(f"/organize/harbours/{address}/", sent).status_code == 404
    assert Competition.objects.get().title == "Harbours"


def test_a_step_that_is_none_does_not_exist(begun: Client) -> None:
    assert begun.get(at("nonsense")).status_code == 404


@pytest.mark.parametrize("step", ["basics", "task", "data", "dates", "limits", "people", "publish"])
def test_each_step_asks_the_database_a_bounded_number_of_times(
    begun: Client, step: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    complete(begun)
    with django_assert_max_num_queries(10):
        answer = begun.get(at(step))
    page = Page(answer.content.decode())
    assert (len(page.headings), page.forbidden, page.without_alt) == (1, [], [])
    assert len(page.ids) == len(set(page.ids))


def test_the_example_can_be_taken_in(browser: Client, tmp_path: Path) -> None:
    answer = browser.get("/organize/example/")
    assert answer.content == example_zip()
    assert "attachment" in answer.headers["Content-Disposition"]
