"""Generated requests by everybody: no failure of ours, no answer that the OpenAPI document does not tell of."""

import os
from collections.abc import Callable, Iterator

import pytest
import schemathesis
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from schemathesis import Case, HookContext, Response
from schemathesis.core.failures import Failure
from schemathesis.openapi.checks import RejectedPositiveData

from accounts.models import ApiToken, User
from accounts.services import issue_token
from competitions.api.throttles import GuessThrottle
from competitions.models import Phase, Run, Submission
from competitions.services.uploads import UploadPlan, start_upload
from tests.conftest import manifest_of
from tests.fuzz.campaign import Outcome, Plan, Value, describe, fuzz, is_about_a_made_up_cursor

CASES = int(os.environ.get("PASTICHE_FUZZ_CASES", "5000"))
CALLERS = ("anonymous", "researcher", "organizer")


@pytest.fixture
def place(
    transactional_db: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    scored: Run,
    submit: Callable[[str], Submission],
) -> dict[str, list[Value]]:
    """A competition with a scored and a waiting run, no limits on numbers of requests, and the names of it all."""
    settings.API_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 0
    monkeypatch.setattr(GuessThrottle, "THROTTLE_RATES", {"tokens": None})
    Phase.objects.update(runs_per_day=100_000, runs_total=100_000)
    waiting = submit("waiting")
    user = scored.submission.submitted_by
    assert user is not None
    plan = UploadPlan("archive", 3, "0" * 64, manifest_of("identity"))
    upload = start_upload(user=user, plan=plan)
    return {
        "path.slug": ["small"],
        "path.phase": ["main"],
        "path.team": [user.username],
        "path.suite": ["sts-test-1"],
        "path.version": [1],
        "path.submission_id": [str(scored.submission_id), str(waiting.pk)],
        "path.run_id": [str(scored.pk), str(waiting.runs.get().pk)],
        "path.upload_id": [str(upload.pk)],
        "path.offset": [0],
    }


@pytest.fixture
def headers(
    request: pytest.FixtureRequest, researcher: User, organizer: User
) -> Iterator[Callable[[str], dict[str, str]]]:
    """Return a function that gives a caller's headers; the token works again before each request."""
    kept: list[int] = []

    def give(name: str) -> dict[str, str]:
        if name == "anonymous":
            return {}
        token, key = issue_token(user=researcher if name == "researcher" else organizer, name="fuzz")
        kept.append(token.pk)
        return {"Authorization": f"Bearer {key}"}

    @schemathesis.hook
    def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
        is_refused = isinstance(failure, RejectedPositiveData)
        return not (is_refused and is_about_a_made_up_cursor(response.status_code, response.json()))

    @schemathesis.hook
    def before_call(context: HookContext, case: Case, kwargs: dict[str, object]) -> None:
        ApiToken.objects.filter(pk__in=kept).update(revoked_at=None)

    yield give
    schemathesis.hooks.unregister_all()


def check(outcome: Outcome, at_least: int) -> None:
    """Look at what a campaign saw."""
    print(describe(outcome).splitlines()[0])
    assert not outcome.faults, describe(outcome)
    assert outcome.total >= at_least
    assert len(outcome.cases) > 40


@pytest.mark.slow
def test_five_hundred_requests(
    live_server: LiveServer, place: dict[str, list[Value]], headers: Callable[[str], dict[str, str]]
) -> None:
    plan = Plan(examples=8, sequences=12, has_edges=False, seed=1)
    check(fuzz(live_server.url, plan, headers=headers("organizer"), known=place), at_least=450)


@pytest.mark.long
@pytest.mark.timeout(max(3600, CASES))  # a caller sends a third of them, several a second
@pytest.mark.parametrize("name", CALLERS)
def test_thousands_of_requests(
    live_server: LiveServer,
    place: dict[str, list[Value]],
    headers: Callable[[str], dict[str, str]],
    name: str,
) -> None:
    """5,000 of them by three callers together, or as many as PASTICHE_FUZZ_CASES says."""
    wanted = CASES // len(CALLERS)
    plan, given, sent = Plan(examples=8, sequences=15, has_edges=True, seed=0), headers(name), 0
    while sent < wanted:
        outcome = fuzz(live_server.url, plan, headers=given, known=place)
        check(outcome, at_least=1000)
        sent += outcome.total
        plan = Plan(examples=60, sequences=60, has_edges=False, seed=plan.seed + 1)
