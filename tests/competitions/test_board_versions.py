"""What is kept of a board is shown only while it is true: one table of all that changes what a board says."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from accounts.models import User
from competitions.models import BoardVersion, Phase, Run, RunFlag, Submission
from competitions.selectors.board_versions import board_now
from competitions.services import moderation, outbox
from competitions.services.board_versions import touch_board
from competitions.services.competitions import PhasePlan, create_phase
from competitions.services.finals import choose_final, drop_final
from competitions.services.flags import RaisedFlag, record_flags, review_flag
from evaluation.spec import MetricSuite

API_BOARD, PAGE = "/api/v1/competitions/small/leaderboard", "/c/small/leaderboard/"
ADDRESSES = (f"{API_BOARD}/", f"{API_BOARD}.csv", f"{PAGE}scores.csv", PAGE)
# What these say does not show in a table of scores.
ONLY_WORDS = {"a flag is confirmed", "a flag is dismissed", "a rescoring begins", "a rescoring is repeated"}


@dataclass
class World:
    """A board with two entries of one team, and those who change it."""

    phase: Phase
    first: Run
    second: Run
    organizer: User
    researcher: User
    staff: User
    suite: MetricSuite
    submit: Callable[[str], Submission]
    evaluate: Callable[[Submission], Run]

    def count_latest(self) -> None:
        Phase.objects.update(counting=Phase.Counting.LATEST)

    def disqualify(self) -> None:
        moderation.disqualify(
            submission_id=self.first.submission_id, user=self.organizer, reason="It copies."
        )

    def lift(self) -> None:
        moderation.lift(submission_id=self.first.submission_id, user=self.organizer)

    def judge(self, verdict: str) -> None:
        review_flag(flag_id=RunFlag.objects.get().pk, user=self.organizer, verdict=verdict)

    def rescore(self) -> None:
        newer = replace(self.suite, name="sts-newer")
        moderation.rescore_phase(phase_pk=self.phase.pk, suite=newer, user=self.organizer)

    def end_rescoring(self) -> None:
        for run in Run.objects.filter(purpose=Run.Purpose.RESCORE):
            moderation.cancel_run(run_id=run.pk, user=self.organizer)

    def repeat_rescoring(self) -> None:
        run = Run.objects.filter(purpose=Run.Purpose.RESCORE).latest("queued_at")
        moderation.requeue(run_id=run.pk, actor="operator", is_forced=True)

    def choose(self) -> None:
        choose_final(submission_id=self.second.submission_id, user=self.researcher)

    def drop(self) -> None:
        drop_final(submission_id=self.second.submission_id, user=self.researcher)

    def rename_team(self) -> None:
        team = self.first.submission.team
        assert team is not None
        browser = Client()
        browser.force_login(self.staff)
        rows = {f"memberships-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
        fields = {"name": "Another name", "slug": team.slug, **rows}
        assert browser.post(reverse("admin:accounts_team_change", args=[team.pk]), fields).status_code == 302

    def another_phase(self) -> None:
        now = timezone.now()
        plan = PhasePlan("later", "Later", now - timedelta(hours=2), now + timedelta(hours=2))
        Phase.objects.filter(pk=self.phase.pk).update(closes_at=now - timedelta(hours=3))
        create_phase(
            competition=self.phase.competition,
            plan=plan,
            dataset_version=self.phase.dataset_version,
            suite=self.suite,
        )


@dataclass(frozen=True)
class Cause:
    """What happens before a board is read, and what happens then."""

    change: Callable[[World], object]
    before: tuple[Callable[[World], object], ...] = ()


CAUSES = {
    "a run is scored": Cause(lambda w: w.evaluate(w.submit("third")), before=(World.count_latest,)),
    "a submission is disqualified": Cause(World.disqualify),
    "a disqualification is lifted": Cause(World.lift, before=(World.disqualify,)),
    "a flag is confirmed": Cause(lambda w: w.judge("confirmed")),
    "a flag is dismissed": Cause(lambda w: w.judge("dismissed"), before=(lambda w: w.judge("confirmed"),)),
    "a rescoring begins": Cause(World.rescore),
    "a rescoring ends": Cause(World.end_rescoring, before=(World.rescore,)),
    "a rescoring is repeated": Cause(World.repeat_rescoring, before=(World.rescore, World.end_rescoring)),
    "a team chooses": Cause(World.choose),
    "a team takes its choice back": Cause(World.drop, before=(World.choose,)),
    "a team gets another name": Cause(World.rename_team),
    "another phase opens": Cause(World.another_phase),
}


@pytest.fixture
def world(
    phase: Phase,
    scored: Run,
    submit: Callable[[str], Submission],
    evaluate: Callable[[Submission], Run],
    organizer: User,
    researcher: User,
    staff: User,
    suite: MetricSuite,
) -> World:
    """A board with an entry on it, another that could stand there, and a flag that nobody has reviewed."""
    record_flags(scored, [RaisedFlag("COPY_CONTENT", 0.99, 0.9, "It copies the content image.")])
    second = evaluate(submit("second"))
    return World(phase, scored, second, organizer, researcher, staff, suite, submit, evaluate)


@dataclass(frozen=True)
class Answer:
    """What came back, without the tokens against forged forms, which are others on any two pages."""

    status: int
    content: bytes
    tag: str


def read(address: str, client: Client | None = None, **headers: str) -> Answer:
    answer = (client or Client()).get(address, headers=headers)
    lines = answer.getvalue().splitlines()
    content = b"\n".join(line for line in lines if b"csrfmiddlewaretoken" not in line)
    return Answer(answer.status_code, content, answer.get("ETag", ""))


@pytest.mark.parametrize("name", CAUSES)
def test_after_each_cause_the_board_is_as_if_nothing_were_kept(world: World, name: str) -> None:
    for step in CAUSES[name].before:
        step(world)
        outbox.flush(("refresh",))
    before = read_all()
    assert read_all() == before
    CAUSES[name].change(world)
    for is_flushed in (False, True):
        if is_flushed:
            outbox.flush(("refresh",))
        shown = read_all()
        cache.clear()
        assert read_all() == shown
    board, table = ADDRESSES[:2]
    again = read(board, **{"If-None-Match": before[board].tag})
    assert again.status == 200
    assert again.content != before[board].content
    assert (shown[table] == before[table]) == (name in ONLY_WORDS)
    assert read(board, **{"If-None-Match": again.tag}).status == 304


def read_all() -> dict[str, Answer]:
    return {address: read(address) for address in ADDRESSES}


def test_a_board_that_is_hidden_is_gone_at_once_and_its_organizers_still_read_it(
    world: World, caller: Callable[[User], APIClient]
) -> None:
    own, stranger = caller(world.organizer), Client()
    tag = read(ADDRESSES[0]).tag
    assert own.get(ADDRESSES[0])["ETag"] == tag
    type(world.phase.competition).objects.update(is_published=False)
    for address in ADDRESSES:
        assert stranger.get(address, headers={"If-None-Match": tag}).status_code == 404
        assert caller(world.researcher).get(address).status_code == 404
    assert own.get(ADDRESSES[0]).status_code == own.get(ADDRESSES[1]).status_code == 200
    assert stranger.get(ADDRESSES[0]).status_code == 404  # what an organizer has read is not shown to others


def test_open_flags_reach_nobody_through_what_an_organizer_has_read(
    world: World, caller: Callable[[User], APIClient]
) -> None:
    assert "COPY_CONTENT" not in caller(world.organizer).get(ADDRESSES[0]).content.decode()
    assert "COPY_CONTENT" not in read(ADDRESSES[0]).content.decode()


def test_the_page_tells_whose_row_it_is_to_each_reader_alone(world: World) -> None:
    own = Client()
    own.force_login(world.researcher)
    pages = [read(PAGE, own).content, read(PAGE).content, read(PAGE, own).content]
    marks = [page.count(b"own") for page in pages]
    assert marks[0] == marks[2] > marks[1]


def test_both_languages_are_served_from_what_is_kept(world: World) -> None:
    type(world.phase.competition).objects.update(title_zh="小波浪")
    chinese = Client(headers={"Accept-Language": "zh-hans"})
    for _ in range(2):
        assert "小波浪" in read(PAGE, chinese).content.decode()
        assert "Small waves" in read(PAGE).content.decode()
        assert "小波浪" not in read(PAGE).content.decode()


def test_a_stranger_who_has_the_board_costs_one_query(world: World) -> None:
    tag = read(ADDRESSES[0]).tag
    with CaptureQueriesContext(connection) as seen:
        assert Client().get(ADDRESSES[0], headers={"If-None-Match": tag}).status_code == 304
        assert read(ADDRESSES[0]).status == 200
    assert len(seen) == 2


def test_the_query_that_is_written_once_answers_as_the_one_for_users(world: World, stranger: User) -> None:
    for slug in ("small", "nothing", "stands for the slug in a query that is written once", "%s"):
        for phase in ("", "main", "nothing"):
            assert board_now(slug, phase, AnonymousUser()) == board_now(slug, phase, stranger)


def test_numbers_grow_and_never_repeat(phase: Phase) -> None:
    seen = []
    for _ in range(3):
        touch_board(phase.pk)
        seen.append(BoardVersion.objects.get().number)
    assert seen == [1, 2, 3]


LONG_WAYS = {"query": {"phase": "main"}, "accept": {}, "cookie": {}}


@pytest.mark.parametrize("way", LONG_WAYS)
@pytest.mark.parametrize("method", ["get", "head"])
def test_the_short_way_answers_as_the_long_one(world: World, way: str, method: str) -> None:
    long, tag = Client(), read(ADDRESSES[0]).tag
    more = {"Accept": "application/json, text/plain;q=0.5"} if way == "accept" else {}
    if way == "cookie":
        long.cookies["theme"] = "dark"
    for headers in ({}, {"If-None-Match": tag}):
        short = getattr(Client(), method)(ADDRESSES[0], headers=headers)
        other = getattr(long, method)(ADDRESSES[0], LONG_WAYS[way], headers={**headers, **more})
        assert (short.status_code, short.content) == (other.status_code, other.content)
        assert dict(short.headers) == dict(other.headers)


@pytest.mark.parametrize("accept", ["text/html", "application/xml"])
def test_who_takes_no_json_goes_the_long_way(world: World, accept: str) -> None:
    assert Client().get(ADDRESSES[0], headers={"Accept": accept}).status_code == 406


def test_strangers_on_the_short_way_are_counted_too(world: World, settings: Settings) -> None:
    settings.API_PER_MINUTE = 2
    assert [Client().get(ADDRESSES[0]).status_code for _ in range(3)] == [200, 200, 429]
    assert "Retry-After" in Client().get(ADDRESSES[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connection that could break")
def test_a_database_that_was_started_anew_is_asked_again(phase: Phase) -> None:
    before = board_now("small", "", AnonymousUser())
    connection.connection.close()
    assert board_now("small", "", AnonymousUser()) == before
    assert before is not None
