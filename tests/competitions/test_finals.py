"""Choosing by which submissions a team is ranked: who may, how many, until when, and what the board makes of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.memberships import invite, join, start_team
from accounts.models import Team, User
from accounts.selectors import token_of
from competitions.errors import (
    IllegalTransition,
    NotATeamMember,
    NotFound,
    PhaseClosed,
    QuotaExceeded,
    TooManyFinals,
)
from competitions.models import FinalChoice, Phase, Run, Score, Submission
from competitions.selectors.competitions import find_phase, get_competition, quota
from competitions.selectors.finals import Finals, finals
from competitions.selectors.submissions import submissions_of
from competitions.services.finals import choose_final, drop_final
from competitions.services.leaderboards import refresh
from competitions.services.moderation import disqualify
from competitions.services.submissions import Upload, create_submission
from tests.boards import enter_runs

Submit = Callable[[str], Submission]


@pytest.fixture
def entries(phase: Phase, team: Team, researcher: User) -> list[Submission]:
    """Three scored entries of one team; the first has the best score."""
    runs = enter_runs(phase, 3, n_baselines=0)
    Submission.objects.update(team=team, submitted_by=researcher)
    for place, run in enumerate(runs):
        Score.objects.create(run=run, metric="headline", split="hidden", value=0.9 - 0.1 * place, n=1)
    return [run.submission for run in runs]


def ranked(phase: Phase) -> list[Submission]:
    return [row.submission for row in refresh(phase_id=phase.pk).rows.filter(submission__kind="entry")]


def test_the_board_shows_what_was_chosen_and_without_a_choice_the_best(
    phase: Phase, entries: list[Submission], researcher: User
) -> None:
    best, middle, _ = entries
    assert ranked(phase) == [best]
    choose_final(submission_id=middle.pk, user=researcher)
    assert ranked(phase) == [middle]
    drop_final(submission_id=middle.pk, user=researcher)
    assert ranked(phase) == [best]


def test_of_several_choices_the_rule_of_the_phase_takes_one(
    phase: Phase, entries: list[Submission], researcher: User
) -> None:
    Phase.objects.update(finals_per_team=2)
    for submission in entries[1:]:
        choose_final(submission_id=submission.pk, user=researcher)
    assert ranked(phase) == [entries[1]]


def test_a_choice_that_was_disqualified_does_not_take_the_team_off_the_board(
    phase: Phase, entries: list[Submission], researcher: User, organizer: User
) -> None:
    choose_final(submission_id=entries[1].pk, user=researcher)
    disqualify(submission_id=entries[1].pk, user=organizer, reason="copied")
    assert ranked(phase) == [entries[0]]


def test_no_more_than_the_phase_takes_are_chosen(
    phase: Phase, entries: list[Submission], researcher: User
) -> None:
    choose_final(submission_id=entries[0].pk, user=researcher)
    choose_final(submission_id=entries[0].pk, user=researcher)
    with pytest.raises(TooManyFinals):
        choose_final(submission_id=entries[1].pk, user=researcher)
    assert FinalChoice.objects.count() == 1


def test_a_phase_without_choices_takes_none_and_forgets_earlier_ones(
    phase: Phase, entries: list[Submission], researcher: User
) -> None:
    choose_final(submission_id=entries[1].pk, user=researcher)
    Phase.objects.update(finals_per_team=0)
    with pytest.raises(TooManyFinals, match="do not choose"):
        choose_final(submission_id=entries[0].pk, user=researcher)
    assert ranked(phase) == [entries[0]]


def test_choices_are_made_while_the_phase_is_open(
    phase: Phase, entries: list[Submission], researcher: User
) -> None:
    choose_final(submission_id=entries[1].pk, user=researcher)
    Phase.objects.update(closes_at=timezone.now() - timedelta(seconds=1))
    for decide in (choose_final, drop_final):
        with pytest.raises(PhaseClosed):
            decide(submission_id=entries[1].pk, user=researcher)
    assert ranked(phase) == [entries[1]]


def test_only_the_team_chooses(entries: list[Submission], stranger: User, organizer: User) -> None:
    for user in (stranger, organizer):
        with pytest.raises(NotATeamMember):
            choose_final(submission_id=entries[0].pk, user=user)


def test_only_what_has_scores_is_chosen(submission: Submission, researcher: User, stranger: User) -> None:
    with pytest.raises(IllegalTransition):
        choose_final(submission_id=submission.pk, user=researcher)
    with pytest.raises(NotFound):
        choose_final(submission_id=submission.pk, user=stranger)


def test_pages_are_told_what_the_service_would_do(
    phase: Phase, entries: list[Submission], researcher: User, organizer: User
) -> None:
    shown = submissions_of(researcher)
    keys = frozenset(entry.pk for entry in entries)
    assert finals(shown, researcher) == Finals(may_choose=keys)
    choose_final(submission_id=entries[1].pk, user=researcher)
    one, shown = frozenset({entries[1].pk}), submissions_of(researcher)
    assert finals(shown, researcher) == Finals(chosen=one, may_drop=one)
    assert finals(shown, organizer) == Finals(chosen=one)
    Phase.objects.update(closes_at=timezone.now() - timedelta(seconds=1))
    assert finals(shown, researcher) == Finals(chosen=one)


def test_many_teams_bring_nobody_more_runs(
    phase: Phase, submit: Submit, researcher: User, stranger: User, make_archive: Callable[..., object]
) -> None:
    atelier = start_team(user=researcher, name="Atelier")
    join(token=token_of(invite(team=atelier, user=researcher)), user=stranger)
    for name in ("one", "two", "three"):
        submit(name)

    def enter(user: User) -> None:
        with make_archive("four").open("rb") as content:  # type: ignore[attr-defined]
            upload = Upload(content=content, size=1, allow_duplicate=True)
            create_submission(phase_pk=phase.pk, team=atelier, user=user, upload=upload)

    with pytest.raises(QuotaExceeded, match="over all of your teams"):
        enter(researcher)
    view = find_phase(get_competition("small", researcher), None)
    assert (quota(view, atelier).left_today, quota(view, atelier, researcher).left_today) == (3, 0)
    enter(stranger)
    assert quota(view, atelier, stranger).left_today == 2
    assert Run.objects.count() == 4
