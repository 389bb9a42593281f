"""Who may repeat, rerun, rescore, cancel, disqualify and reinstate: every role at every entry of API and pages."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_user
from competitions.api.errors import STATUS
from competitions.errors import CompetitionError
from competitions.models import (
    Competition,
    DatasetVersion,
    Disqualification,
    Phase,
    QuotaEntry,
    Run,
    Submission,
)
from competitions.services import moderation, queue, runs
from competitions.services.competitions import create_competition, publish, store_suite
from competitions.services.submissions import cancel_submission, retry_submission
from competitions.services.workers import Ability
from evaluation.spec import load_suite
from tests.api_fixtures import API, error_of

BY_ORGANIZERS = dict.fromkeys(("stranger", "researcher", "other_organizer"), "NOT_ALLOWED")
# How an action is refused, by role; whoever is not named may do it. A cancelled run is no sight for strangers.
REFUSED = {
    "retry": dict.fromkeys(("stranger", "other_organizer"), "NOT_FOUND")
    | dict.fromkeys(("organizer", "staff"), "NOT_A_TEAM_MEMBER"),
    "rerun": BY_ORGANIZERS,
    "disqualify": BY_ORGANIZERS,
    "reinstate": BY_ORGANIZERS,
    "rescore": BY_ORGANIZERS,
}
FIELDS = {"disqualify": {"reason": "It copies."}, "rescore": {"suite": "sts-demo-1"}}
ON_PAGES = [action for action in REFUSED if action != "rescore"]
SERVICES: dict[str, Callable[[Submission, User], object]] = {
    "retry": lambda row, user: retry_submission(submission_id=row.pk, user=user),
    "rerun": lambda row, user: moderation.rerun(submission_id=row.pk, user=user),
    "disqualify": lambda row, user: moderation.disqualify(submission_id=row.pk, user=user, reason="Why."),
    "reinstate": lambda row, user: moderation.lift(submission_id=row.pk, user=user),
}
Arrange = Callable[[str], Submission]


@pytest.fixture
def other_organizer(db: None) -> User:
    """A user who organizes another competition."""
    user = create_user(username="elsewhere", password="a long password 5")
    publish(
        competition=create_competition(
            slug="other", title="Other", summary="", description="", organizer=user
        )
    )
    return user


@pytest.fixture
def arrange(
    submission: Submission, researcher: User, organizer: User, evaluate: Callable[[Submission], Run]
) -> Arrange:
    """Return a function that brings the submission into a state by name."""

    def fail(code: str) -> None:
        held = queue.claim(worker="worker-1", ability=Ability("test", True))
        assert held is not None
        Run.objects.update(attempts=99)
        runs.fail(held, code=code, detail="")

    def make(state: str) -> Submission:
        if state in ("cancelled", "closed", "used up"):
            cancel_submission(submission_id=submission.pk, user=researcher)
        if state in ("scored", "disqualified", "rerun"):
            evaluate(submission)
        if state == "closed":
            Phase.objects.update(closes_at=timezone.now())
        elif state == "used up":
            Phase.objects.update(runs_per_day=1)
            QuotaEntry.objects.update(state="charged")
        elif state in ("INFRA", "CRASHED"):
            fail(state)
        elif state == "disqualified":
            moderation.disqualify(submission_id=submission.pk, user=organizer, reason="It copies.")
        elif state == "rerun":
            moderation.rerun(submission_id=submission.pk, user=organizer)
        return submission

    return make


@pytest.fixture
def people(
    stranger: User, researcher: User, other_organizer: User, organizer: User, staff: User
) -> dict[str, User | None]:
    """Everybody there is, by role."""
    named = {"stranger": stranger, "researcher": researcher, "other_organizer": other_organizer}
    return {"anonymous": None, **named, "organizer": organizer, "staff": staff}


@contextmanager
def undone() -> Iterator[None]:
    """Undo what happens within."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def state_for(action: str) -> str:
    """Return a state in which those who may do it can."""
    return {"retry": "cancelled", "reinstate": "disqualified"}.get(action, "scored")


def decided() -> tuple[int, int, str]:
    """Return what decisions change."""
    standing = Disqualification.objects.filter(lifted_at__isnull=True)
    return Run.objects.count(), standing.count(), Phase.objects.get().suite.name


def ask_api(
    user: User | None, action: str, row: Submission, caller: Callable[[User], APIClient]
) -> HttpResponse:
    """Take the action over the API."""
    where = "competitions/small/phases/main" if action == "rescore" else f"submissions/{row.pk}"
    DatasetVersion.objects.update(size=256)  # what the shipped suites score
    client = caller(user) if user else APIClient()
    answer: HttpResponse = client.post(f"{API}/{where}/{action}/", FIELDS.get(action, {}), format="json")
    return answer


def ask_page(user: User | None, action: str, row: Submission) -> HttpResponse:
    """Take the action by the form of the page."""
    browser = Client()
    if user is not None:
        browser.force_login(user)
    answer: HttpResponse = browser.post(f"/s/{row.pk}/{action}/", FIELDS.get(action, {}))
    return answer


@pytest.mark.parametrize("action", REFUSED)
def test_the_api_lets_decide_who_may_and_nobody_else(
    action: str, arrange: Arrange, people: dict[str, User | None], caller: Callable[[User], APIClient]
) -> None:
    row = arrange(state_for(action))
    before = decided()
    for role, user in people.items():
        refusal = "NOT_SIGNED_IN" if user is None else REFUSED[action].get(role)
        with undone():
            answer = ask_api(user, action, row, caller)
            assert (decided() == before) == (refusal is not None), role
        if refusal is None:
            assert answer.status_code in (200, 201), role
        else:
            assert (answer.status_code, error_of(answer)["code"]) == (STATUS.get(refusal, 401), refusal), role


@pytest.mark.parametrize("action", ON_PAGES)
def test_the_pages_let_decide_who_may_and_nobody_else(
    action: str, arrange: Arrange, people: dict[str, User | None]
) -> None:
    row = arrange(state_for(action))
    before = decided()
    for role, user in people.items():
        refusal = REFUSED[action].get(role)
        with undone():
            answer = ask_page(user, action, row)
            assert (decided() == before) == (user is None or refusal is not None), role
        if refusal is not None:
            assert answer.status_code == STATUS[refusal], role
            assert refusal in answer.content.decode(), role
        else:
            goes_to = "/accounts/sign-in/" if user is None else f"/s/{row.pk}/"
            assert answer.headers["Location"].startswith(goes_to), role


@pytest.mark.parametrize("action", REFUSED)
def test_what_is_not_published_is_not_there_for_strangers(
    stranger: User,
    other_organizer: User,
    action: str,
    arrange: Arrange,
    caller: Callable[[User], APIClient],
) -> None:
    row = arrange(state_for(action))
    Competition.objects.filter(slug="small").update(is_published=False)
    before = decided()
    for user in (stranger, other_organizer):
        assert error_of(ask_api(user, action, row, caller))["code"] == "NOT_FOUND"
        if action in ON_PAGES:
            assert ask_page(user, action, row).status_code == 404
    assert decided() == before


def would_do(action: str, row: Submission, user: User) -> bool:
    """Say whether the service would do it, and undo it."""
    try:
        with undone():
            SERVICES[action](row, user)
    except CompetitionError:
        return False
    return True


@pytest.mark.parametrize(
    "state",
    ["queued", "cancelled", "closed", "used up", "INFRA", "CRASHED", "scored", "disqualified", "rerun"],
)
def test_a_button_is_there_exactly_where_the_service_would_do_it(
    client: Client,
    researcher: User,
    organizer: User,
    staff: User,
    stranger: User,
    arrange: Arrange,
    state: str,
) -> None:
    row = arrange(state)
    offered = set()
    for user in (researcher, organizer, staff, stranger):
        client.force_login(user)
        page = client.get(f"/s/{row.pk}/").content.decode()
        for action in ON_PAGES:
            is_offered = f'action="/s/{row.pk}/{action}/"' in page
            assert is_offered == would_do(action, row, user), (user.username, action)
            offered |= {action} if is_offered else set()
    assert ("retry" in offered) == (state in ("cancelled", "INFRA"))
    assert ("rerun" in offered) == (state not in ("queued", "rerun"))
    assert ("reinstate" in offered) == (state == "disqualified")


def rescored(row: Submission) -> Run:
    """Queue a rescoring of the submission's scored run."""
    suite = store_suite(suite=load_suite("sts-demo-2"))
    Phase.objects.update(suite=suite)
    made = moderation.rescore(row.runs.select_related("submission__phase").get(), actor="test")
    assert made is not None
    return made


def test_a_single_run_ends_for_organizers_and_staff_and_nobody_else(
    arrange: Arrange, people: dict[str, User | None], caller: Callable[[User], APIClient]
) -> None:
    run = rescored(arrange("scored"))
    for role, user in people.items():
        may = role in ("organizer", "staff")
        browser, program = Client(), caller(user) if user else APIClient()
        if user is not None:
            browser.force_login(user)
        for send, url in (
            (program.post, f"{API}/runs/{run.pk}/cancel/"),
            (browser.post, f"/runs/{run.pk}/cancel/"),
        ):
            with undone():
                answer = send(url)
                assert (Run.objects.get(pk=run.pk).state == "cancelled") == may, (role, url)
            if not may:
                assert answer.status_code in (302, 401, 403), (role, url)


def test_the_button_that_ends_a_rescoring_is_there_for_those_who_may_while_it_lives(
    arrange: Arrange, people: dict[str, User | None]
) -> None:
    row = arrange("scored")
    run = rescored(row)
    form = f'action="/runs/{run.pk}/cancel/"'
    for role, user in people.items():
        browser = Client()
        if user is not None:
            browser.force_login(user)
        is_offered = form in browser.get(f"/s/{row.pk}/").content.decode()
        assert is_offered == (role in ("organizer", "staff")), role
    page = browser.post(f"/runs/{run.pk}/cancel/", follow=True).content.decode()
    assert "The run was cancelled." in page
    assert form not in page
    assert (
        "The run had already ended." in browser.post(f"/runs/{run.pk}/cancel/", follow=True).content.decode()
    )


def test_the_decisions_of_pages_need_the_token_against_forged_forms(
    arrange: Arrange, researcher: User, organizer: User
) -> None:
    strict = Client(enforce_csrf_checks=True)
    for action in ON_PAGES:
        strict.force_login(researcher if action == "retry" else organizer)
        assert strict.post(f"/s/{arrange('queued').pk}/{action}/").status_code == 403
