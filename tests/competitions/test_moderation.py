"""What organizers decide: runs again, new scores for stored outputs, disqualification, dry runs; and who may."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Team, User
from competitions.errors import (
    CompetitionError,
    DuplicateSubmission,
    IllegalTransition,
    InvalidInput,
    NotAllowed,
    NotATeamMember,
    NotFound,
    PhaseClosed,
    QuotaExceeded,
    RefusedArchive,
)
from competitions.models import (
    Artifact,
    Competition,
    Disqualification,
    Outbox,
    Phase,
    QuotaEntry,
    Run,
    RunOutput,
    Submission,
)
from competitions.selectors.access import visible_submissions
from competitions.selectors.files import output_image
from competitions.selectors.output import public_outputs
from competitions.selectors.submissions import get_submission
from competitions.services import moderation, queue, runs
from competitions.services.submissions import (
    Upload,
    cancel_submission,
    create_submission,
    dry_run,
    retry_submission,
)
from competitions.services.workers import Ability
from evaluation.spec import MetricSuite

WORKER = Ability("test", True)


@pytest.fixture
def upload(make_archive: Callable[..., Path]) -> Callable[..., Upload]:
    """Return a function that opens an archive for upload."""

    def make(name: str = "identity", **changes: object) -> Upload:
        path = make_archive(name, **changes)
        return Upload(content=path.open("rb"), size=path.stat().st_size)

    return make


@pytest.fixture
def submission(phase: Phase, team: Team, researcher: User, upload: Callable[..., Upload]) -> Submission:
    """A submission whose run is queued."""
    with (sent := upload()).content:
        return create_submission(phase_pk=phase.pk, team=team, user=researcher, upload=sent)


@pytest.fixture
def newer(suite: MetricSuite) -> MetricSuite:
    """Another version of the suite."""
    return dataclasses.replace(suite, name="sts-newer")


def start() -> runs.Claim:
    """Have a worker take the next run."""
    held = queue.claim(worker="worker-1", ability=WORKER)
    assert held is not None
    return held


def finish(held: runs.Claim) -> Run:
    """End a run as scored, whatever its scores."""
    table, _ = Artifact.objects.get_or_create(sha256="2" * 64, kind="pair_scores", defaults={"size": 1})
    changes = {"pair_scores": table, "n_pairs": 6, "finished_at": timezone.now()}
    Run.objects.filter(pk=held.run_id).update(
        state="scored", lease_owner="", lease_expires_at=None, **changes
    )
    QuotaEntry.objects.filter(run=held.run_id).update(state="charged", settled_at=timezone.now())
    return Run.objects.get(pk=held.run_id)


def refusal(action: Callable[[], object]) -> type[CompetitionError]:
    """Return how an action is refused."""
    with pytest.raises(CompetitionError) as caught:
        action()
    return type(caught.value)


def promised_boards() -> list[str]:
    """List the phases whose board is to be made anew."""
    return list(Outbox.objects.filter(topic="refresh").values_list("key", flat=True))


def test_organizers_have_a_submission_run_again_for_free(submission: Submission, organizer: User) -> None:
    with pytest.raises(IllegalTransition, match="still under way"):
        moderation.rerun(submission_id=submission.pk, user=organizer)
    finish(start())
    run = moderation.rerun(submission_id=submission.pk, user=organizer)
    assert (run.purpose, run.sequence, run.state) == ("score", 2, "queued")
    assert run.events.get().actor == "user organizer"
    assert QuotaEntry.objects.count() == 1


def test_only_organizers_and_staff_moderate_and_strangers_learn_nothing(
    submission: Submission, researcher: User, stranger: User, staff: User, newer: MetricSuite
) -> None:
    actions: list[Callable[[User], object]] = [
        lambda user: moderation.rerun(submission_id=submission.pk, user=user),
        lambda user: moderation.disqualify(submission_id=submission.pk, user=user, reason="why"),
        lambda user: moderation.lift(submission_id=submission.pk, user=user),
        lambda user: moderation.cancel_run(run_id=submission.runs.get().pk, user=user),
    ]
    for action in actions:
        assert refusal(lambda action=action: action(researcher)) is NotAllowed
        assert refusal(lambda action=action: action(stranger)) is NotFound
    rescore = lambda user: moderation.rescore_phase(phase_pk=submission.phase_id, suite=newer, user=user)  # noqa: E731
    assert refusal(lambda: rescore(researcher)) is NotAllowed
    Competition.objects.update(is_published=False)
    assert refusal(lambda: rescore(stranger)) is NotFound
    assert refusal(lambda: dry_run(phase_pk=submission.phase_id, user=stranger, uploads=[])) is NotFound
    assert moderation.cancel_run(run_id=submission.runs.get().pk, user=staff).state == "cancelled"


def test_a_team_repeats_what_we_broke_and_reserves_quota_again(
    submission: Submission, researcher: User
) -> None:
    held = start()
    Run.objects.update(attempts=99)
    runs.fail(held, code="INFRA", detail="disk full")
    run = retry_submission(submission_id=submission.pk, user=researcher)
    assert run.sequence == 2
    states = QuotaEntry.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == ["refunded", "reserved"]


def test_a_team_repeats_what_it_cancelled_within_window_and_quota(
    submission: Submission, researcher: User
) -> None:
    cancel_submission(submission_id=submission.pk, user=researcher)
    retry = lambda: retry_submission(submission_id=submission.pk, user=researcher)  # noqa: E731
    Phase.objects.update(closes_at=timezone.now())
    assert refusal(retry) is PhaseClosed
    Phase.objects.update(closes_at=timezone.now() + timezone.timedelta(days=1), runs_total=1)
    QuotaEntry.objects.update(state="charged")
    assert refusal(retry) is QuotaExceeded
    QuotaEntry.objects.update(state="refunded")
    assert retry().state == "queued"


@pytest.mark.parametrize("how", ["live", "crashed", "scored"])
def test_a_team_repeats_nothing_that_would_end_the_same_way(
    submission: Submission, researcher: User, how: str
) -> None:
    if how == "crashed":
        runs.fail(start(), code="CRASHED", detail="")
    elif how == "scored":
        finish(start())
    with pytest.raises(IllegalTransition):
        retry_submission(submission_id=submission.pk, user=researcher)


def test_only_the_team_repeats_its_run(submission: Submission, organizer: User, stranger: User) -> None:
    assert refusal(lambda: retry_submission(submission_id=submission.pk, user=organizer)) is NotATeamMember
    assert refusal(lambda: retry_submission(submission_id=submission.pk, user=stranger)) is NotFound


def test_a_cancelled_and_repeated_archive_counts_as_handed_in(
    submission: Submission, team: Team, researcher: User, upload: Callable[..., Upload]
) -> None:
    cancel_submission(submission_id=submission.pk, user=researcher)
    retry_submission(submission_id=submission.pk, user=researcher)
    with pytest.raises(DuplicateSubmission), (sent := upload()).content:
        create_submission(phase_pk=submission.phase_id, team=team, user=researcher, upload=sent)


def test_a_new_suite_has_the_newest_outputs_of_each_submission_scored_again(
    submission: Submission, organizer: User, newer: MetricSuite
) -> None:
    first = finish(start())
    moderation.rerun(submission_id=submission.pk, user=organizer)
    source = finish(start())
    (run,) = moderation.rescore_phase(phase_pk=submission.phase_id, suite=newer, user=organizer)
    assert (run.purpose, run.sequence, run.source, run.suite.name) == ("rescore", 1, source, "sts-newer-1")
    assert Phase.objects.get().suite == run.suite != first.suite
    assert promised_boards() == [str(submission.phase_id)]
    assert QuotaEntry.objects.count() == 1


def test_while_a_rescoring_is_under_way_there_is_no_other(
    submission: Submission, organizer: User, newer: MetricSuite, suite: MetricSuite
) -> None:
    finish(start())
    moderation.rescore_phase(phase_pk=submission.phase_id, suite=newer, user=organizer)
    with pytest.raises(IllegalTransition, match="still under way"):
        moderation.rescore_phase(phase_pk=submission.phase_id, suite=suite, user=organizer)
    assert Phase.objects.get().suite.name == "sts-newer-1"


def test_rescoring_again_does_only_what_is_missing(
    submission: Submission, organizer: User, newer: MetricSuite
) -> None:
    finish(start())
    runs_of = lambda: moderation.rescore_phase(phase_pk=submission.phase_id, suite=newer, user=organizer)  # noqa: E731
    (broken,) = runs_of()
    moderation.cancel_run(run_id=broken.pk, user=organizer)
    (again,) = runs_of()
    assert again.sequence == 2
    finish(start())
    assert runs_of() == []


def test_what_waits_gets_the_new_suite_and_what_is_under_way_is_scored_again_on_demand(
    submission: Submission, organizer: User, newer: MetricSuite
) -> None:
    held = start()
    assert moderation.rescore_phase(phase_pk=submission.phase_id, suite=newer, user=organizer) == []
    source = finish(held)
    (run,) = moderation.rescore_phase(phase_pk=submission.phase_id, suite=newer, user=organizer)
    assert run.source == source
    moderation.cancel_run(run_id=run.pk, user=organizer)
    moderation.rerun(submission_id=submission.pk, user=organizer)
    assert finish(start()).suite.name == "sts-newer-1"
    assert moderation.rescore_phase(phase_pk=submission.phase_id, suite=newer, user=organizer) == []


def test_a_suite_of_another_size_is_refused(
    submission: Submission, organizer: User, newer: MetricSuite
) -> None:
    other = dataclasses.replace(newer, size=256)
    with pytest.raises(InvalidInput, match="64 px"):
        moderation.rescore_phase(phase_pk=submission.phase_id, suite=other, user=organizer)
    assert Phase.objects.get().suite.name == "sts-test-1"


def test_a_rescoring_is_shown_once_it_has_scores_with_the_outputs_of_its_source(
    submission: Submission, organizer: User, researcher: User, newer: MetricSuite
) -> None:
    source = finish(start())
    (run,) = moderation.rescore_phase(phase_pk=submission.phase_id, suite=newer, user=organizer)
    assert get_submission(submission.pk, researcher).run.id == source.pk
    assert get_submission(submission.pk, researcher, run_id=run.pk).run.state == "queued"
    with pytest.raises(IllegalTransition):  # what its team sees has ended
        cancel_submission(submission_id=submission.pk, user=researcher)
    finish(start())
    pair = submission.phase.dataset_version.pairs.filter(split="public")[0]
    RunOutput.objects.create(run=source, pair=pair, artifact=pair.content, seconds=1)
    shown = get_submission(submission.pk, researcher)
    assert (shown.run.id, shown.run.outputs_of) == (run.pk, source.pk)
    assert [output.pair_name for output in public_outputs(shown)] == [pair.name]
    assert output_image(run.pk, pair.pk, researcher) == pair.content.sha256


def test_a_disqualification_has_a_reason_and_can_be_lifted(
    submission: Submission, organizer: User, researcher: User
) -> None:
    act = {"submission_id": submission.pk, "user": organizer}
    with pytest.raises(InvalidInput):
        moderation.disqualify(**act, reason="  ")
    with pytest.raises(IllegalTransition):
        moderation.lift(**act)
    moderation.disqualify(**act, reason="It copies the style image.")
    assert get_submission(submission.pk, researcher).disqualified_for == "It copies the style image."
    with pytest.raises(IllegalTransition):
        moderation.disqualify(**act, reason="Once more.")
    moderation.lift(**act)
    assert get_submission(submission.pk, researcher).disqualified_for == ""
    moderation.disqualify(**act, reason="It does.")
    rows = Disqualification.objects.order_by("pk").values_list("decided_by", "lifted_by")
    assert list(rows) == [(organizer.pk, organizer.pk), (organizer.pk, None)]
    assert promised_boards() == [str(submission.phase_id)] * 3


@pytest.mark.parametrize(("who", "state"), [("organizer", "refunded"), ("researcher", "charged")])
def test_a_started_run_costs_the_team_only_if_the_team_cancels_it(
    submission: Submission, organizer: User, researcher: User, who: str, state: str
) -> None:
    start()
    cancel_submission(
        submission_id=submission.pk, user={"organizer": organizer, "researcher": researcher}[who]
    )
    assert QuotaEntry.objects.get().state == state


def test_the_reason_of_a_cancellation_stands_in_the_history(submission: Submission, organizer: User) -> None:
    run = moderation.cancel_run(run_id=submission.runs.get().pk, user=organizer, reason="It mines coins.")
    last = run.events.order_by("sequence").last()
    assert last is not None
    assert (last.to_state, last.actor, last.detail) == ("cancelled", "user organizer", "It mines coins.")


def test_organizers_try_a_phase_out_before_it_is_published(
    phase: Phase, organizer: User, stranger: User, upload: Callable[..., Upload]
) -> None:
    Competition.objects.update(is_published=False)
    Phase.objects.update(opens_at=timezone.now() + timezone.timedelta(hours=1))
    uploads = [upload("first"), upload("second")]
    made = dry_run(phase_pk=phase.pk, user=organizer, uploads=uploads)
    for sent in uploads:
        sent.content.close()
    assert [submission.name for submission in made] == ["first", "second"]
    assert set(Run.objects.values_list("purpose", "priority", "state")) == {("dry_run", 0, "queued")}
    assert not QuotaEntry.objects.exists()
    finish(start())
    Competition.objects.update(is_published=True)
    assert not visible_submissions(stranger).exists()
    with pytest.raises(IllegalTransition, match="dry run"):
        moderation.rerun(submission_id=made[0].pk, user=organizer)


@pytest.mark.parametrize(("device", "is_taken"), [("cpu", False), ("gpu", True)])
def test_a_generator_for_a_gpu_is_taken_where_the_phase_has_one(
    phase: Phase, team: Team, researcher: User, upload: Callable[..., Upload], device: str, is_taken: bool
) -> None:
    Phase.objects.update(device=device)
    with (sent := upload(device="cuda")).content:
        create = lambda: create_submission(phase_pk=phase.pk, team=team, user=researcher, upload=sent)  # noqa: E731
        if not is_taken:
            with pytest.raises(RefusedArchive, match="get no GPU"):
                create()
            return
        run = create().runs.get()
    assert run.device == "cuda"
    assert queue.claim(worker="worker-1", ability=WORKER) is None
    assert queue.claim(worker="worker-2", ability=dataclasses.replace(WORKER, devices=("cpu", "cuda")))


def test_in_a_phase_with_gpu_a_generator_for_the_cpu_asks_for_none(
    phase: Phase, team: Team, researcher: User, upload: Callable[..., Upload]
) -> None:
    Phase.objects.update(device="gpu")
    with (sent := upload()).content:
        create_submission(phase_pk=phase.pk, team=team, user=researcher, upload=sent)
    assert start()
