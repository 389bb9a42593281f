"""Read competitions that are being set up: their steps, what is missing, their report, and how the dry run went."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from competitions.errors import NotFound
from competitions.models import Competition, Draft, Organizer, Phase, Run, Score, Submission
from competitions.rules import LIVE_STATES, RunState, shown_progress
from competitions.selectors.access import Viewer, organized_competitions
from competitions.selectors.output import ScoreView
from competitions.selectors.queue import needs_of
from competitions.selectors.status import Waiting, waiting_for
from competitions.setting_up import (
    AFTER_PUBLISHING,
    Freedom,
    PhaseLimits,
    Step,
    Window,
    setup_digest,
)
from evaluation.intake.findings import Report
from evaluation.spec import MetricSuite, load_suite, suite_ids


@dataclass(frozen=True)
class StepView:
    """One step of setting up; `problem` says what is missing, and is empty where it is complete."""

    name: Step
    problem: str
    freedom: Freedom | None

    @property
    def is_complete(self) -> bool:
        """Say whether nothing is missing."""
        return not self.problem


@dataclass(frozen=True)
class TrialView:
    """One run of a dry run, with its scores where it has any."""

    submission_id: UUID
    run_id: UUID
    name: str
    state: str
    is_live: bool
    pairs_done: int
    pairs_total: int
    failure_code: str
    scores: Mapping[str, ScoreView]


@dataclass(frozen=True)
class DryRunView:
    """The last dry run; it counts while the set-up is the one that it tried. `waiting`: why it does not start."""

    trials: tuple[TrialView, ...] = ()
    is_current: bool = False
    waiting: Waiting = Waiting()

    @property
    def is_live(self) -> bool:
        """Say whether a run of it is still under way."""
        return any(trial.is_live for trial in self.trials)

    @property
    def is_scored(self) -> bool:
        """Say whether this very set-up was tried to the end."""
        scored = [trial.state == RunState.SCORED for trial in self.trials]
        return self.is_current and bool(scored) and all(scored)


@dataclass(frozen=True)
class DraftView:
    """A competition as its organizers set it up."""

    pk: int
    slug: str
    title: str
    is_published: bool
    texts: Mapping[str, str]
    is_listed: bool
    organizers: tuple[str, ...]
    suite: MetricSuite | None
    windows: tuple[Window, ...]
    limits: PhaseLimits | None
    typed: Mapping[str, Mapping[str, list[str]]]
    report: Report | None
    thumbnails: Mapping[str, str]
    has_data: bool
    steps: tuple[StepView, ...]
    untried_reason: str

    @property
    def missing(self) -> tuple[Step, ...]:
        """List the steps that have to be completed before publishing."""
        return tuple(step.name for step in self.steps if not step.is_complete and step.name != Step.PUBLISH)

    @property
    def next_step(self) -> Step:
        """Return the first step that is not complete, or the last one."""
        return next(iter(self.missing), Step.PUBLISH)


TEXTS = ("title", "title_zh", "summary", "summary_zh", "description", "description_zh")
NO_TITLE = "The title is missing."
NO_SUMMARY = "A summary is missing, in at least one language."
NO_SUITE = "No metric suite is chosen."
NO_DATA = "There are no pictures yet."
OTHER_SIZE = "The pictures have another size than the metric suite scores."
NO_PHASE = "No phase has dates yet."
NO_LIMITS = "The limits are not confirmed yet."
NOT_TAKEN = "What was typed last was not accepted yet."
NOT_PUBLISHED = "Not published yet."
PROBLEMS = (
    *(NO_TITLE, NO_SUMMARY, NO_SUITE, NO_DATA, OTHER_SIZE),
    *(NO_PHASE, NO_LIMITS, NOT_TAKEN, NOT_PUBLISHED),
)


def organized(user: User) -> list[tuple[Competition, bool]]:
    """List the competitions that the user organizes, newest first, and whether each can be set up in pages."""
    rows = organized_competitions(user).annotate(
        is_drafted=Exists(Draft.objects.filter(competition=OuterRef("pk")))
    )
    return [(row, bool(row.is_drafted)) for row in rows.order_by("-created_at", "-pk")]


def get_draft_row(slug: str, viewer: Viewer) -> Draft:
    """Return the draft of a competition that the viewer organizes, or raise NotFound: others learn nothing of it."""
    rows = Draft.objects.filter(competition__in=organized_competitions(viewer).values("pk"))
    draft = rows.select_related("competition", "dataset_version").filter(competition__slug=slug).first()
    if draft is None:
        raise NotFound("There is no such competition, or you do not organize it.")
    return with_stored_phases(draft)


def with_stored_phases(draft: Draft) -> Draft:
    """Put dates and limits of a published competition in the place of what was planned: operators change them too."""
    if not draft.competition.is_published:
        return draft
    phases = list(Phase.objects.filter(competition=draft.competition).order_by("opens_at"))
    if phases:
        windows = [Window(phase.title, phase.opens_at, phase.closes_at).to_json() for phase in phases]
        limits = {name: getattr(phases[0], name) for name in PhaseLimits().to_json()}
        draft.answers = {**draft.answers, Step.DATES: {"phases": windows}, Step.LIMITS: limits}
    return draft


def get_draft(slug: str, viewer: Viewer) -> DraftView:
    """Return a competition as its organizers see it, or raise NotFound."""
    return draft_view(get_draft_row(slug, viewer))


def draft_view(draft: Draft) -> DraftView:
    """Show a draft."""
    row = draft.competition
    people = Organizer.objects.filter(competition=row).order_by("pk")
    report, thumbnails = read_report(draft.report)
    return DraftView(
        pk=row.pk,
        slug=row.slug,
        title=row.title or row.title_zh,
        is_published=row.is_published,
        texts={name: getattr(row, name) for name in TEXTS},
        is_listed=row.is_listed,
        organizers=tuple(people.values_list("user__username", flat=True)),
        suite=suite_of(draft),
        windows=windows_of(draft),
        limits=limits_of(draft),
        typed=draft.typed,
        report=report,
        thumbnails=thumbnails,
        has_data=draft.dataset_version_id is not None,
        steps=tuple(_step(draft, step) for step in Step),
        untried_reason=draft.untried_reason,
    )


def suite_of(draft: Draft) -> MetricSuite | None:
    """Return the suite that was chosen."""
    name = draft.answers.get(Step.TASK, {}).get("suite")
    return load_suite(name) if name in suite_ids() else None


def windows_of(draft: Draft) -> tuple[Window, ...]:
    """Return the phases that were planned."""
    return tuple(Window.from_json(row) for row in draft.answers.get(Step.DATES, {}).get("phases", ()))


def limits_of(draft: Draft) -> PhaseLimits | None:
    """Return the limits that were confirmed."""
    found = draft.answers.get(Step.LIMITS)
    return PhaseLimits(**found) if found else None


def problem_of(draft: Draft, step: Step) -> str:
    """Say what a step lacks; nothing where it is complete."""
    row, suite, data = draft.competition, suite_of(draft), draft.dataset_version
    has_title, has_summary = row.title or row.title_zh, row.summary or row.summary_zh
    found = {
        Step.BASICS: (NO_SUMMARY if has_title else NO_TITLE) if not (has_title and has_summary) else "",
        Step.TASK: "" if suite else NO_SUITE,
        Step.DATA: NO_DATA if data is None else OTHER_SIZE if suite and data.size != suite.size else "",
        Step.DATES: "" if windows_of(draft) else NO_PHASE,
        Step.LIMITS: "" if limits_of(draft) else NO_LIMITS,
        Step.PEOPLE: "",
        Step.PUBLISH: "" if row.is_published else NOT_PUBLISHED,
    }[step]
    return NOT_TAKEN if draft.typed.get(step) else found


def missing_steps(draft: Draft) -> dict[Step, str]:
    """Say what each step lacks that has to be completed before a dry run and before publishing."""
    found = {step: problem_of(draft, step) for step in Step if step is not Step.PUBLISH}
    return {step: problem for step, problem in found.items() if problem}


def current_setup(draft: Draft) -> str:
    """Return the digest of what a dry run would try now; empty while something is missing."""
    suite, limits, data = suite_of(draft), limits_of(draft), draft.dataset_version
    if suite is None or limits is None or data is None:
        return ""
    return setup_digest(suite=suite.digest, dataset=data.digest, limits=limits)


def dry_run(slug: str, viewer: Viewer) -> DryRunView:
    """Return how the last dry run of a competition goes."""
    return dry_run_view(get_draft_row(slug, viewer))


def dry_run_view(draft: Draft) -> DryRunView:
    """Show the last dry run of a draft."""
    ids = draft.tried.get("submissions", [])
    newest: dict[UUID, Run] = {}
    runs = Run.objects.filter(submission__in=ids, purpose=Run.Purpose.DRY_RUN).select_related("submission")
    for run in runs.order_by("sequence"):
        newest[run.submission_id] = run
    scores: dict[UUID, dict[str, ScoreView]] = {}
    for score in Score.objects.filter(run__in=newest.values(), split="hidden"):
        scores.setdefault(score.run_id, {})[score.metric] = ScoreView(
            score.value, score.low, score.high, score.n
        )
    found = [newest[UUID(key)] for key in ids if UUID(key) in newest]
    queued = [run for run in found if run.state == RunState.QUEUED]
    return DryRunView(
        tuple(_trial(run, scores.get(run.pk, {})) for run in found),
        is_current=bool(ids) and draft.tried.get("setup") == current_setup(draft),
        waiting=waiting_for(needs_of(queued[0])) if queued else Waiting(),
    )


def tried_archives(draft: Draft) -> QuerySet[Submission]:
    """List what the last dry run handed in."""
    return Submission.objects.filter(pk__in=draft.tried.get("submissions", [])).select_related("archive")


def thumbnail(slug: str, sha256: str, viewer: Viewer) -> str:
    """Return the digest of a small picture of the report, or raise NotFound."""
    if sha256 not in get_draft_row(slug, viewer).report.get("thumbnails", {}).values():
        raise NotFound("There is no such image.")
    return sha256


def read_report(stored: Mapping[str, object]) -> tuple[Report | None, dict[str, str]]:
    """Read a report and the digests of its small pictures by file name."""
    if not stored:
        return None, {}
    fields = dict(stored)
    thumbnails = fields.pop("thumbnails", {})
    return Report.from_json(fields), dict(thumbnails) if isinstance(thumbnails, Mapping) else {}


def _step(draft: Draft, step: Step) -> StepView:
    freedom = AFTER_PUBLISHING[step] if draft.competition.is_published else None
    return StepView(step, problem_of(draft, step), freedom)


def _trial(run: Run, scores: Mapping[str, ScoreView]) -> TrialView:
    return TrialView(
        submission_id=run.submission_id,
        run_id=run.pk,
        name=run.submission.name,
        state=run.state,
        is_live=run.state in LIVE_STATES,
        pairs_done=shown_progress(run.pairs_done, run.pairs_total),
        pairs_total=run.pairs_total,
        failure_code=run.failure_code,
        scores=scores,
    )
