"""A submission's page while its run waits, works and has ended; its log; cancelling."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from competitions.models import Artifact, Run, RunOutput, RunShard, Submission
from competitions.rules import RunState
from competitions.services import results, runs
from competitions.services.runs import Claim
from competitions.services.workers import Ability, register_worker
from frontend.progress import OUTPUTS_AT_FIRST

HTMX = {"hx-request": "true"}


@pytest.fixture
def member(client: Client, researcher: User) -> Client:
    """The researcher's browser."""
    client.force_login(researcher)
    return client


def page_of(browser: Client, submission: Submission) -> str:
    answer = browser.get(f"/s/{submission.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def progress_of(browser: Client, submission: Submission, query: str = "", **headers: str) -> HttpResponse:
    answer: HttpResponse = browser.get(f"/s/{submission.pk}/progress/{query}", headers=HTMX | headers)
    return answer


def claim_of(run: Run) -> Claim:
    return Claim(run.pk, run.fence, run.lease_owner)


def test_a_queued_run_says_its_place_and_why_it_waits(member: Client, submission: Submission) -> None:
    page = page_of(member, submission)
    assert "Place 1 of 1 in the queue." in page
    assert "0 workers are alive." in page
    assert "No worker is running" in page
    assert "<code>./run up</code>" in page


def test_a_missing_sandbox_is_told_with_what_to_do(member: Client, submission: Submission) -> None:
    ability = Ability(
        "process", False, reason="No sandbox works here: <bwrap>.", advice="Install `bubblewrap`."
    )
    register_worker(name="worker-1", ability=ability)
    page = page_of(member, submission)
    assert "No sandbox works here: &lt;bwrap&gt;." in page
    assert "Install <code>bubblewrap</code>." in page
    assert "1 worker is alive." in page


def test_a_run_under_way_shows_stages_pairs_and_outputs_as_they_land(
    member: Client, submission: Submission, generating: Run
) -> None:
    page = page_of(member, submission)
    assert 'value="1" max="6"' in page
    assert "1/6" in page
    assert f"/images/runs/{generating.pk}/" in page
    assert "Last sign of life from the worker" in page
    assert 'http-equiv="refresh"' in page
    assert 'hx-trigger="every 1s"' in page
    assert "allowEval&quot;: false" in page or '"allowEval": false' in page


def test_the_fragment_brings_new_outputs_only(
    member: Client, submission: Submission, generating: Run
) -> None:
    assert "hx-swap-oob" not in progress_of(member, submission, "?shown=1").content.decode()
    news = progress_of(member, submission, "?shown=0").content.decode()
    assert 'id="outputs"' in news
    assert 'hx-swap-oob="true"' in news


def test_an_unchanged_run_gives_not_modified(member: Client, submission: Submission, generating: Run) -> None:
    first = progress_of(member, submission, "?shown=1")
    again = progress_of(member, submission, "?shown=1", **{"if-none-match": first.headers["ETag"]})
    assert again.status_code == 304
    results.append_log(claim_of(generating), text="x", is_withheld=False)
    RunShard.objects.update(pairs_done=2)
    runs.keep_alive(claim_of(generating))
    changed = progress_of(member, submission, "?shown=1", **{"if-none-match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_asking_stops_at_the_end_and_the_page_is_loaded_anew_once(
    member: Client, submission: Submission, generating: Run
) -> None:
    live = progress_of(member, submission)
    assert "hx-trigger" in live.content.decode()
    assert "HX-Refresh" not in live.headers
    runs.fail(claim_of(generating), code="OUT_OF_MEMORY", detail="")
    ended = progress_of(member, submission)
    assert "hx-trigger" not in ended.content.decode()
    assert ended.headers["HX-Refresh"] == "true"
    page = page_of(member, submission)
    assert "hx-trigger" not in page
    assert "htmx" not in page
    assert 'http-equiv="refresh"' not in page


def test_the_fragment_alone_is_no_page(client: Client, scored: Run) -> None:
    answer = client.get(f"/s/{scored.submission_id}/progress/")
    assert answer.headers["Location"] == f"/s/{scored.submission_id}/"


def test_the_fragment_is_small_and_cheap(
    member: Client,
    submission: Submission,
    generating: Run,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(3):  # session, user, and all that it tells
        answer = progress_of(member, submission, "?shown=1")
    assert len(answer.content) <= 4096


def test_a_silent_worker_is_told(member: Client, submission: Submission, generating: Run) -> None:
    assert "fallen silent" not in page_of(member, submission)
    Run.objects.update(last_sign_of_life=timezone.now() - timedelta(minutes=5))
    assert "fallen silent" in page_of(member, submission)


def test_a_failure_is_told_with_code_advice_detail_and_cost(
    member: Client, submission: Submission, generating: Run
) -> None:
    runs.fail(claim_of(generating), code="PAIR_TIMEOUT", detail="No answer after <10> s.")
    page = page_of(member, submission)
    for text in (
        'href="/help/errors/PAIR_TIMEOUT/"',
        "The generator took longer than the time limit for one pair.",
        "No answer after &lt;10&gt; s.",
        "What to try:",
        "This used up one run",
    ):
        assert text in page


def test_a_fault_of_the_platform_costs_nothing(
    member: Client, submission: Submission, generating: Run
) -> None:
    Run.objects.update(attempts=99)
    runs.fail(claim_of(generating), code="INFRA", detail="")
    page = page_of(member, submission)
    assert "INFRA" in page
    assert "This did not use up a run" in page


def test_a_scored_run_shows_scores_provenance_and_outputs_to_everybody(client: Client, scored: Run) -> None:
    page = page_of(client, scored.submission)
    assert "Trade-off score" in page
    assert f"{100 * scored.scores.get(metric='headline', split='hidden').value:.1f}" in page
    assert "95 % interval" in page
    assert scored.submission.archive.sha256 in page
    assert "sts-test-1" in page
    assert page.count(f'src="/images/runs/{scored.pk}/') == 2
    assert "See the leaderboard" in page


def test_of_many_pictures_the_last_wait_until_somebody_unfolds_them(client: Client, scored: Run) -> None:
    first = scored.outputs.filter(pair__split="public").select_related("pair").first()
    assert first is not None
    for k in range(OUTPUTS_AT_FIRST):
        content = Artifact.objects.create(sha256=f"{k:064x}", kind=Artifact.Kind.IMAGE, size=1)
        first.pair.pk, first.pair.name, first.pair.content = None, f"q{k:03d}", content
        first.pair.save()
        RunOutput.objects.create(run=scored, pair=first.pair, artifact=first.artifact, seconds=0.5)
    page = page_of(client, scored.submission)
    n, picture = 2 + OUTPUTS_AT_FIRST, f'src="/images/runs/{scored.pk}/'
    assert f'Show all <span class="number">({n})</span>' in page
    at_once, unfolded = page.split("Show all")
    assert (at_once.count(picture), unfolded.count(picture)) == (OUTPUTS_AT_FIRST, 2)


def test_the_log_is_the_teams_and_keeps_back_what_hidden_images_might_be_in(
    client: Client, submission: Submission, generating: Run, researcher: User, organizer: User, stranger: User
) -> None:
    url = f"/s/{submission.pk}/log/"
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    for user in (researcher, organizer):
        client.force_login(user)
        for page in (client.get(url), client.get(f"/s/{submission.pk}/"), client.get(url, headers=HTMX)):
            text = page.content.decode()
            assert "loading &lt;weights&gt;" in text
            assert "secret" not in text
            assert "are withheld" in text
    raw = client.get(url + "?raw")
    assert raw.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert raw.content == b"loading <weights>\n"


def test_the_page_shows_the_end_of_a_long_log_and_the_log_page_all_of_it(
    member: Client, submission: Submission, generating: Run
) -> None:
    results.append_log(
        claim_of(generating), text="".join(f"line {n};\n" for n in range(300)), is_withheld=False
    )
    page = page_of(member, submission)
    assert "line 299;" in page
    assert "line 50;" not in page
    assert "Only the last lines are shown." in page
    assert "line 50;" in member.get(f"/s/{submission.pk}/log/").content.decode()


def test_a_stranger_sees_a_scored_run_without_log_and_cannot_cancel(
    client: Client, scored: Run, stranger: User
) -> None:
    client.force_login(stranger)
    page = page_of(client, scored.submission)
    assert "loading weights" not in page
    answer = client.post(f"/s/{scored.submission_id}/cancel/")
    assert answer.status_code == 403
    assert "NOT_ALLOWED" in answer.content.decode()


def test_cancelling_ends_the_run_and_says_so(member: Client, submission: Submission) -> None:
    answer = member.post(f"/s/{submission.pk}/cancel/", follow=True)
    assert submission.runs.get().state == RunState.CANCELLED
    assert "The run was cancelled." in answer.content.decode()
    again = member.post(f"/s/{submission.pk}/cancel/", follow=True)
    assert "The run had already ended." in again.content.decode()


def test_my_submissions_lists_those_of_my_teams_alone(
    client: Client, scored: Run, researcher: User, stranger: User
) -> None:
    client.force_login(stranger)
    assert "Nothing here yet" in client.get("/submissions/").content.decode()
    client.force_login(researcher)
    page = client.get("/submissions/").content.decode()
    assert "identity" in page
    assert "note on identity" in page
    assert "scored" in page


def test_my_submissions_cost_the_same_for_any_number(
    member: Client,
    submit: Callable[[str], Submission],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    counts = []
    for name in ("one", "two", "three"):
        submit(name)
        cache.clear()
        with django_assert_max_num_queries(8) as seen:
            assert member.get("/submissions/").status_code == 200
        counts.append(len(seen))
    assert len(set(counts)) == 1
