"""Setting a competition up: what each step takes, what publishing needs, and what participants see change."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from accounts.models import User
from competitions.errors import CompetitionError, IllegalTransition, InvalidInput, NotFound
from competitions.models import Competition, Phase, Run, Submission
from competitions.selectors.drafts import dry_run, get_draft
from competitions.selectors.news import news
from competitions.selectors.organizing import organizer_view
from competitions.services import drafts, publishing
from competitions.services.intake import take_in_zip
from competitions.setting_up import PhaseLimits, Window, check_limits, check_windows
from evaluation.intake.example import example_zip
from tests.competitions.setting_up import finish_dry_run

NOW = datetime(2031, 5, 1, tzinfo=UTC)
TEXTS = {
    "title": "New",
    "title_zh": "",
    "summary": "Something new.",
    "summary_zh": "",
    "description": "",
    "description_zh": "",
}


def windows(*days: tuple[int, int]) -> list[Window]:
    """Plan phases that open and close so many days from a fixed date."""
    return [
        Window(f"Phase {n}", NOW + timedelta(days=opens), NOW + timedelta(days=closes))
        for n, (opens, closes) in enumerate(days)
    ]


@pytest.fixture
def ready(organizer: User) -> Competition:
    """A competition that could be published."""
    made = drafts.start_draft(user=organizer, slug="new", texts=TEXTS)
    drafts.save_task(slug="new", user=organizer, suite="sts-demo-2")
    data = example_zip()
    take_in_zip(slug="new", user=organizer, content=BytesIO(data), size=len(data))
    drafts.save_dates(slug="new", user=organizer, windows=windows((0, 5), (5, 9)))
    drafts.save_limits(slug="new", user=organizer, limits=PhaseLimits())
    return made


def refusal(action: Callable[[], object]) -> type[CompetitionError]:
    with pytest.raises(CompetitionError) as caught:
        action()
    return type(caught.value)


@pytest.mark.parametrize(
    "days", [[], [(1, 1)], [(2, 1)], [(1, 5), (4, 8)], [(4, 8), (1, 5)], [(1, 9), (2, 3)]]
)
def test_no_phases_backward_ones_and_overlapping_ones_are_refused(days: list[tuple[int, int]]) -> None:
    assert refusal(lambda: check_windows(windows(*days))) is InvalidInput


def test_a_phase_may_open_in_the_minute_in_which_another_closes() -> None:
    check_windows(windows((5, 8), (1, 5)))


def test_limits_that_contradict_each_other_are_refused() -> None:
    check_limits(PhaseLimits())
    assert refusal(lambda: check_limits(PhaseLimits(runs_per_day=101))) is InvalidInput
    assert refusal(lambda: check_limits(PhaseLimits(run_seconds=100))) is InvalidInput


def test_a_phase_that_is_not_planned_any_more_goes_unless_somebody_handed_something_in(
    ready: Competition, organizer: User
) -> None:
    assert [phase.slug for phase in Phase.objects.order_by("opens_at")] == ["phase-0", "phase-1"]
    drafts.save_dates(slug="new", user=organizer, windows=windows((0, 5)))
    assert Phase.objects.count() == 1
    drafts.save_dates(slug="new", user=organizer, windows=windows((0, 5), (6, 7)))
    second = Phase.objects.get(slug="phase-1")
    publishing.start_dry_run(slug="new", user=organizer)
    Submission.objects.update(phase=second)
    assert (
        refusal(lambda: drafts.save_dates(slug="new", user=organizer, windows=windows((0, 5))))
        is InvalidInput
    )
    assert len(get_draft("new", organizer).windows) == 2


def test_two_dry_runs_are_never_under_way_at_once(ready: Competition, organizer: User) -> None:
    publishing.start_dry_run(slug="new", user=organizer)
    assert refusal(lambda: publishing.start_dry_run(slug="new", user=organizer)) is IllegalTransition
    assert Run.objects.count() == 2
    assert set(Run.objects.values_list("purpose", "priority", "needs_sandbox")) == {("dry_run", 0, False)}


def test_a_dry_run_counts_while_the_set_up_is_the_one_that_it_tried(
    ready: Competition, organizer: User
) -> None:
    publishing.start_dry_run(slug="new", user=organizer)
    assert not dry_run("new", organizer).is_scored
    finish_dry_run()
    assert dry_run("new", organizer).is_scored
    drafts.save_dates(slug="new", user=organizer, windows=windows((0, 5), (5, 10)))
    assert dry_run("new", organizer).is_scored
    drafts.save_limits(slug="new", user=organizer, limits=PhaseLimits(pair_seconds=1))
    assert not dry_run("new", organizer).is_scored
    assert refusal(lambda: publishing.publish_draft(slug="new", user=organizer)) is InvalidInput


def test_a_dry_run_that_failed_does_not_count(ready: Competition, organizer: User) -> None:
    publishing.start_dry_run(slug="new", user=organizer)
    finish_dry_run(code="PAIR_TIMEOUT")
    found = dry_run("new", organizer)
    assert {trial.failure_code for trial in found.trials} == {"PAIR_TIMEOUT"}
    assert (found.is_scored, found.is_live) == (False, False)
    publishing.start_dry_run(slug="new", user=organizer)
    finish_dry_run()
    assert dry_run("new", organizer).is_scored


def test_publishing_happens_once(ready: Competition, organizer: User) -> None:
    publishing.publish_draft(slug="new", user=organizer, reason="no worker is running today")
    again = lambda: publishing.publish_draft(slug="new", user=organizer, reason="no worker today")  # noqa: E731
    assert refusal(again) is IllegalTransition
    assert refusal(lambda: publishing.start_dry_run(slug="new", user=organizer)) is IllegalTransition


def test_nobody_else_sets_up_tries_or_publishes(ready: Competition, stranger: User) -> None:
    for action in (
        lambda: drafts.save_basics(slug="new", user=stranger, texts=TEXTS),
        lambda: drafts.save_task(slug="new", user=stranger, suite="sts-demo-1"),
        lambda: drafts.save_people(slug="new", user=stranger, usernames=["stranger"], is_listed=True),
        lambda: publishing.start_dry_run(slug="new", user=stranger),
        lambda: publishing.publish_draft(slug="new", user=stranger, reason="because I can do it"),
        lambda: publishing.announce(slug="new", user=stranger, title="Hello", text=""),
        lambda: organizer_view("new", stranger),
        lambda: news("new", stranger),
    ):
        assert refusal(action) is NotFound
    assert Competition.objects.get().title == "New"


def test_what_changes_before_publishing_is_nobodys_business_and_afterwards_everybodys(
    ready: Competition, organizer: User, stranger: User
) -> None:
    drafts.save_dates(slug="new", user=organizer, windows=windows((0, 6), (6, 9)))
    publishing.publish_draft(slug="new", user=organizer, reason="no worker is running today")
    assert news("new", stranger).changes == ()
    drafts.save_dates(slug="new", user=organizer, windows=windows((0, 7), (7, 9)))
    drafts.save_limits(slug="new", user=organizer, limits=PhaseLimits())  # as they were
    told = [
        (change.phase, change.field, change.before, change.after) for change in news("new", stranger).changes
    ]
    sixth, seventh = NOW + timedelta(days=6), NOW + timedelta(days=7)
    assert sorted(told) == [
        ("Phase 0", "closes_at", sixth, seventh),
        ("Phase 1", "opens_at", sixth, seventh),
    ]
    publishing.announce(slug="new", user=organizer, title="One more day", text="For **all**.")
    assert [one.title for one in news("new", stranger).announcements] == ["One more day"]


def test_the_next_issue_of_an_organizer_follows_the_state(ready: Competition, organizer: User) -> None:
    def issues() -> list[str]:
        return [issue.code for issue in organizer_view("new", organizer).issues]

    assert issues() == ["NOT_PUBLISHED"]
    drafts.keep_typed(slug="new", user=organizer, step="limits", typed={"memory_mb": ["much"]})  # type: ignore[arg-type]
    assert issues() == ["NOT_COMPLETE"]
    drafts.save_limits(slug="new", user=organizer, limits=PhaseLimits())
    publishing.start_dry_run(slug="new", user=organizer)
    finish_dry_run(code="PAIR_TIMEOUT")
    assert [(one.code, one.n) for one in organizer_view("new", organizer).failures] == [("PAIR_TIMEOUT", 2)]
    Run.objects.update(failure_code="INFRA", fault="platform")
    assert issues() == ["PLATFORM_FAILED", "NOT_PUBLISHED"]
    publishing.publish_draft(slug="new", user=organizer, reason="no worker is running today")
    assert issues() == ["NEVER_TRIED"]


def test_the_queue_of_an_organizer_names_places_and_purposes(ready: Competition, organizer: User) -> None:
    publishing.start_dry_run(slug="new", user=organizer)
    found = organizer_view("new", organizer)
    assert [(run.purpose, run.place) for run in found.live] == [("dry_run", 1), ("dry_run", 2)]
    assert len({run.name for run in found.live}) == 2
    assert found.waiting.reason
    assert {one.kind for one in found.latest} == {"dry_run"}


def test_dates_that_an_operator_changed_survive_the_organizers_next_change(
    ready: Competition, organizer: User
) -> None:
    publishing.publish_draft(slug="new", user=organizer, reason="no worker is running today")
    later = NOW + timedelta(days=99)
    Phase.objects.filter(slug="phase-1").update(closes_at=later)
    assert get_draft("new", organizer).windows[-1].closes_at == later
    drafts.save_limits(slug="new", user=organizer, limits=PhaseLimits(memory_mb=512))
    assert Phase.objects.get(slug="phase-1").closes_at == later
    assert set(Phase.objects.values_list("memory_mb", flat=True)) == {512}


def test_submissions_never_pass_to_another_phase(ready: Competition, organizer: User) -> None:
    publishing.start_dry_run(slug="new", user=organizer)
    publishing.publish_draft(slug="new", user=organizer, reason="no worker is running today")
    plan = get_draft("new", organizer).windows
    earlier = Window("Before", NOW - timedelta(days=9), NOW - timedelta(days=8))
    save = lambda planned: drafts.save_dates(slug="new", user=organizer, windows=planned)  # noqa: E731
    assert refusal(lambda: save([earlier, *plan])) is InvalidInput
    assert refusal(lambda: save(plan[:0])) is InvalidInput
    save([*plan, Window("After", NOW + timedelta(days=90), NOW + timedelta(days=91))])
    assert [phase.slug for phase in Phase.objects.order_by("opens_at")] == ["phase-0", "phase-1", "after"]


def test_phases_may_change_names_before_publishing(ready: Competition, organizer: User) -> None:
    first, second = windows((0, 5), (5, 9))
    swapped = [
        Window(second.title, first.opens_at, first.closes_at),
        Window(first.title, second.opens_at, second.closes_at),
    ]
    drafts.save_dates(slug="new", user=organizer, windows=swapped)
    assert [phase.title for phase in Phase.objects.order_by("opens_at")] == ["Phase 1", "Phase 0"]
