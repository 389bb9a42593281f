"""Flags against gaming: kept once, reviewed by organizers, and seen by nobody else before they are confirmed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import create_user
from competitions.errors import InvalidInput, NotAllowed, NotFound
from competitions.flags import FLAG_TEXTS
from competitions.models import (
    Artifact,
    Competition,
    LeaderboardRow,
    LeaderboardSnapshot,
    Phase,
    Run,
    RunFlag,
    Submission,
)
from competitions.selectors.flags import confirmed_flags, flags_of, usual_style_scores
from competitions.services import leaderboards
from competitions.services.artifacts import store_path
from competitions.services.competitions import create_competition, store_suite
from competitions.services.flags import RaisedFlag, record_flags, review_flag
from competitions.services.queue import create_run
from evaluation.gaming.flag import FLAGS
from evaluation.report import PairScore, write_pair_scores
from evaluation.spec import MetricSuite
from tests.api_fixtures import API

COPY = RaisedFlag("COPY_CONTENT", 0.9, 0.5, "On 9 of 10 pairs the output is the content image.")
STATEFUL = RaisedFlag("STATEFUL", 12.0, 0.5, "On 4 pairs, pictures differ.")
ROLES = ("nobody", "stranger", "researcher", "other organizer", "organizer", "staff")
MAY_REVIEW = ("organizer", "staff")


@pytest.fixture
def people(
    competition: Competition, organizer: User, researcher: User, stranger: User, staff: User
) -> dict[str, User | AnonymousUser]:
    """Everybody who may look: the organizer of another competition among them."""
    other = create_user(username="other", password="a long password 5")
    create_competition(slug="other", title="Other", summary="", description="", organizer=other)
    return {
        "nobody": AnonymousUser(),
        "stranger": stranger,
        "researcher": researcher,
        "other organizer": other,
        "organizer": organizer,
        "staff": staff,
    }


@pytest.fixture
def flag(scored: Run) -> RunFlag:
    """An open flag of the scored run."""
    record_flags(scored, [COPY])
    return scored.flags.get()


def test_every_code_has_its_sentence() -> None:
    assert set(FLAG_TEXTS) == {*FLAGS, "NONDETERMINISTIC", "STATEFUL"}
    assert all(text.endswith(".") for text in FLAG_TEXTS.values())
    with pytest.raises(ValueError, match="CHEATS"):
        RaisedFlag("CHEATS", 1.0, 0.0, "")


def test_flags_are_kept_once_and_keep_their_verdict(flag: RunFlag, organizer: User) -> None:
    review_flag(flag_id=flag.pk, user=organizer, verdict="dismissed", note="It is the baseline's idea.")
    record_flags(flag.run, [replace(COPY, strength=0.7), STATEFUL])
    rows = {row.code: row for row in flag.run.flags.all()}
    assert set(rows) == {"COPY_CONTENT", "STATEFUL"}
    assert (rows["COPY_CONTENT"].strength, rows["COPY_CONTENT"].verdict) == (0.7, "dismissed")
    assert (rows["STATEFUL"].sentence, rows["STATEFUL"].verdict) == (STATEFUL.sentence, "open")


def test_a_rescoring_keeps_what_was_found_out_about_the_pictures(
    scored: Run, suite: MetricSuite, organizer: User
) -> None:
    blend, quilt = replace(COPY, code="BLEND"), replace(COPY, code="QUILT")
    record_flags(scored, [COPY, blend, quilt, STATEFUL])
    for code, verdict in (("COPY_CONTENT", "confirmed"), ("BLEND", "dismissed")):
        review_flag(flag_id=scored.flags.get(code=code).pk, user=organizer, verdict=verdict, note=code)
    Phase.objects.update(suite=store_suite(suite=replace(suite, version=2)))
    submission = Submission.objects.get()
    again = create_run(submission=submission, purpose=Run.Purpose.RESCORE, source=scored, actor="organizer")
    record_flags(again, [replace(blend, strength=0.6), replace(COPY, code="MEMORIZES")])
    found = {row.code: (row.verdict, row.strength, row.note) for row in again.flags.all()}
    assert found == {
        "COPY_CONTENT": ("confirmed", 0.9, "COPY_CONTENT"),
        "BLEND": ("dismissed", 0.6, "BLEND"),
        "STATEFUL": ("open", 12.0, ""),  # a rescoring shows nothing again, so it could not raise it
        "MEMORIZES": ("open", 0.9, ""),
    }
    assert again.flags.get(code="COPY_CONTENT").reviewed_by == organizer
    assert again.flags.get(code="COPY_CONTENT").reviewed_at is not None


@pytest.mark.parametrize("role", MAY_REVIEW)
def test_organizers_and_staff_confirm_dismiss_and_reopen(
    flag: RunFlag, people: dict[str, User], role: str
) -> None:
    for verdict in ("confirmed", "dismissed", "confirmed"):
        review_flag(flag_id=flag.pk, user=people[role], verdict=verdict, note="I looked.")
        flag.refresh_from_db()
        assert (flag.verdict, flag.note, flag.reviewed_by) == (verdict, "I looked.", people[role])
        assert flag.reviewed_at is not None
    review_flag(flag_id=flag.pk, user=people[role], verdict="open")
    flag.refresh_from_db()
    assert (flag.verdict, flag.note, flag.reviewed_at) == ("open", "", None)
    assert flag.reviewed_by == people[role]


@pytest.mark.parametrize("role", ["stranger", "researcher", "other organizer"])
def test_nobody_else_reviews_and_an_open_flag_does_not_exist_for_them(
    flag: RunFlag, people: dict[str, User], role: str
) -> None:
    with pytest.raises(NotFound):
        review_flag(flag_id=flag.pk, user=people[role], verdict="dismissed")
    review_flag(flag_id=flag.pk, user=people["organizer"], verdict="confirmed")
    with pytest.raises(NotAllowed, match="Only organizers"):
        review_flag(flag_id=flag.pk, user=people[role], verdict="dismissed")
    flag.refresh_from_db()
    assert flag.verdict == "confirmed"


def test_what_is_no_verdict_is_refused(flag: RunFlag, organizer: User) -> None:
    with pytest.raises(InvalidInput):
        review_flag(flag_id=flag.pk, user=organizer, verdict="perhaps")
    with pytest.raises(ValidationError):
        review_flag(flag_id=flag.pk, user=organizer, verdict="confirmed", note="x" * 501)
    with pytest.raises(NotFound):
        review_flag(flag_id=flag.pk + 1, user=organizer, verdict="confirmed")
    flag.refresh_from_db()
    assert flag.verdict == "open"


@pytest.mark.parametrize("role", ROLES)
def test_only_organizers_see_more_than_what_is_confirmed(
    scored: Run, people: dict[str, User], role: str
) -> None:
    record_flags(scored, [COPY, STATEFUL, replace(COPY, code="BLEND")])
    for code, verdict in (("COPY_CONTENT", "confirmed"), ("BLEND", "dismissed")):
        row = scored.flags.get(code=code)
        review_flag(flag_id=row.pk, user=people["organizer"], verdict=verdict, note="secret note")
    seen = flags_of([scored.pk], people[role])[scored.pk]
    assert seen.confirmed == ("COPY_CONTENT",)
    if role in MAY_REVIEW:
        assert [flag.code for flag in seen.flags] == ["BLEND", "COPY_CONTENT", "STATEFUL"]
        assert (seen.can_review, seen.open) == (True, ("STATEFUL",))
        assert (seen.flags[1].note, seen.flags[1].reviewer) == ("secret note", "organizer")
    else:
        assert [flag.code for flag in seen.flags] == ["COPY_CONTENT"]
        assert (seen.can_review, seen.open) == (False, None)
        assert (seen.flags[0].note, seen.flags[0].reviewer) == ("", "")
    assert seen.flags[-1].text == FLAG_TEXTS[seen.flags[-1].code]


@pytest.mark.parametrize("role", ROLES)
def test_the_api_tells_confirmed_flags_to_all_and_open_ones_to_organizers(
    scored: Run, people: dict[str, User], caller: Callable[[User], APIClient], role: str
) -> None:
    record_flags(scored, [COPY, STATEFUL])
    client = APIClient() if role == "nobody" else caller(people[role])

    def told() -> list[object]:
        run = client.get(f"{API}/runs/{scored.pk}/").json()
        submission = client.get(f"{API}/submissions/{scored.submission_id}/").json()
        (row,) = client.get(f"{API}/competitions/small/leaderboard/").json()["rows"]
        assert submission["run"]["flags"] == run["flags"] == row["flags"]
        assert submission["run"]["open_flags"] == run["open_flags"]
        return [run["flags"], run["open_flags"]]

    is_organizer = role in MAY_REVIEW
    assert told() == [[], ["COPY_CONTENT", "STATEFUL"] if is_organizer else None]
    review_flag(
        flag_id=scored.flags.get(code="COPY_CONTENT").pk, user=people["organizer"], verdict="confirmed"
    )
    assert told() == [["COPY_CONTENT"], ["STATEFUL"] if is_organizer else None]


def test_a_verdict_shows_on_the_board_at_once_also_to_those_who_have_it(
    flag: RunFlag, organizer: User, anonymous: APIClient
) -> None:
    path = f"{API}/competitions/small/leaderboard/"
    tag = anonymous.get(path)["ETag"]
    review_flag(flag_id=flag.pk, user=organizer, verdict="confirmed")
    answer = anonymous.get(path, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["rows"][0]["flags"] == ["COPY_CONTENT"]
    assert LeaderboardSnapshot.objects.count() == 1


def test_the_list_of_submissions_reads_flags_in_a_constant_number_of_queries(
    member: APIClient,
    submit: Callable[[str], Submission],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    counts = []
    for name in ("one", "two", "three"):
        record_flags(submit(name).runs.get(), [COPY])
        with django_assert_max_num_queries(20) as seen:
            answer = member.get(f"{API}/submissions/").json()
        assert [row["run"]["flags"] for row in answer["results"]] == [[]] * answer["count"]
        counts.append(len(seen))
    assert counts[1] == counts[2]


def test_flags_of_many_runs_are_kept_apart(scored: Run, submit: Callable[[str], Submission]) -> None:
    other = submit("second").runs.get()
    record_flags(scored, [COPY])
    record_flags(other, [STATEFUL])
    RunFlag.objects.update(verdict="confirmed", reviewed_at="2026-01-01T00:00:00Z")
    found = confirmed_flags([scored.pk, other.pk])
    assert {run_id: [flag.code for flag in flags] for run_id, flags in found.items()} == {
        scored.pk: ["COPY_CONTENT"],
        other.pk: ["STATEFUL"],
    }
    assert list(confirmed_flags([other.pk])) == [other.pk]


@pytest.fixture
def enter(
    scored: Run, tmp_path: Path, make_archive: Callable[..., Path]
) -> Callable[[str, dict[str, float]], UUID]:
    """Return a function that puts an entry of a new team onto the board of the phase, with these style scores."""

    def make(name: str, styles: dict[str, float], kind: str = "entry") -> UUID:
        user = create_user(username=name, password="a long password 6")
        archive = store_path(kind=Artifact.Kind.ARCHIVE, path=make_archive(name))
        entered: dict[str, object] = (
            {"team": user.teams.get(), "submitted_by": user} if kind == "entry" else {}
        )
        submission = Submission.objects.create(
            phase=scored.submission.phase, kind=kind, name=name, archive=archive, manifest={}, is_shipped=False,
            **entered,
        )  # fmt: skip
        path = tmp_path / f"{name}.parquet"
        rows = [PairScore(pair, {"headline": 0.1, "style": value}) for pair, value in styles.items()]
        write_pair_scores((*rows, PairScore("p005", {}, invalid="WRONG_SIZE")), path)
        run = Run(
            submission=submission, suite=submission.phase.suite, state="scored", queued_at=scored.queued_at,
            finished_at=scored.finished_at, n_pairs=6, n_valid=len(styles),
            pair_scores=store_path(kind=Artifact.Kind.PAIR_SCORES, path=path),
        )  # fmt: skip
        run.save()
        leaderboards.refresh(phase_id=submission.phase_id)
        return run.pk

    return make


def test_what_is_usual_is_the_mean_over_entries_with_a_valid_output(
    scored: Run, enter: Callable[..., UUID]
) -> None:
    phase = scored.submission.phase_id
    enter("one", {"p000": 0.2, "p001": 0.4})
    enter("known", {"p000": 1.0, "p001": 1.0}, kind="baseline")
    assert usual_style_scores(phase) is None
    enter("two", {"p000": 0.4})
    usual = usual_style_scores(phase)
    assert usual is not None
    own = {f"p{i:03d}": (0.41 + i * 0.0123456789) / 2 for i in range(6)}
    assert usual["p000"] == pytest.approx((0.2 + 0.4 + own["p000"]) / 3)
    assert usual["p001"] == pytest.approx((0.4 + own["p001"]) / 2)
    assert usual["p005"] == pytest.approx(own["p005"])


def test_the_team_under_review_does_not_say_what_is_usual(scored: Run, enter: Callable[..., UUID]) -> None:
    phase = scored.submission.phase_id
    runs = [enter(name, {"p000": level}) for name, level in (("one", 0.2), ("two", 0.4))]
    assert usual_style_scores(phase, reviewed=scored.pk) is None
    enter("three", {"p000": 0.6})
    assert usual_style_scores(phase, reviewed=scored.pk) == {"p000": pytest.approx(0.4)}
    assert usual_style_scores(phase, reviewed=runs[0]) is not None


def test_scores_under_another_suite_tell_nothing_of_what_is_usual(
    scored: Run, enter: Callable[..., UUID], suite: MetricSuite
) -> None:
    for name in ("one", "two", "three"):
        enter(name, {"p000": 0.2})
    assert LeaderboardRow.objects.count() > 0
    assert usual_style_scores(scored.submission.phase_id) is not None
    Phase.objects.update(suite=store_suite(suite=replace(suite, version=2)))
    assert usual_style_scores(scored.submission.phase_id) is None
