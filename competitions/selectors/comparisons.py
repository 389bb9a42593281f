"""Read how far two runs are apart: over the hidden pairs together, and pair by pair where pairs are released."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from competitions.errors import NotComparable, NotFound
from competitions.models import ImagePair, Run
from competitions.ranking import SEED
from competitions.rules import RunState
from competitions.selectors.access import Viewer, visible_submissions
from competitions.selectors.competitions import PairView
from competitions.selectors.leaderboards import pictured
from competitions.selectors.scores import read_table
from evaluation.errors import EvaluationError
from evaluation.pairs import Pair, dataset_digest
from evaluation.report import PairScore, Report
from evaluation.statistics.comparison import Comparison, PairDifference, compare_runs

METRICS = ("headline", "content", "style")
TOP = 6
_NO_FILE = Path()  # statistics know images by their digests


@dataclass(frozen=True)
class ComparedRun:
    """One of two runs: the latest of its submission that was scored. `maker_id` is the run that made its pictures."""

    submission_id: UUID
    run_id: UUID
    maker_id: UUID
    name: str
    team: str
    kind: str
    competition: str
    competition_title: str
    phase_id: int
    phase: str
    suite: str


@dataclass(frozen=True)
class ComparedPair:
    """One released pair on which the two runs differ; `pictured` holds the runs that have a picture of it."""

    pair: PairView
    difference: PairDifference
    pictured: frozenset[UUID]


@dataclass(frozen=True)
class RunComparison:
    """Two runs over the hidden pairs, and the released pairs on which the first is ahead and behind the most."""

    first: ComparedRun
    second: ComparedRun
    metrics: tuple[Comparison, ...]
    wins: tuple[ComparedPair, ...]
    losses: tuple[ComparedPair, ...]
    seed: int
    n_released: int


def compared_run(submission_id: UUID, viewer: Viewer) -> ComparedRun:
    """Return what is compared of a submission, or raise NotFound."""
    return _view(_scored_run(submission_id, viewer))


def compare_submissions(
    first: UUID, second: UUID, viewer: Viewer, *, metric: str = METRICS[0]
) -> RunComparison:
    """Compare two submissions; wins and losses are those in `metric`.

    Raises:
        NotFound: there is no such submission, the viewer may not see it, or it has no scores.
        NotComparable: they were scored on other pairs or by other suites.
    """
    runs = [_scored_run(key, viewer) for key in (first, second)]
    versions = {run.submission.phase.dataset_version_id for run in runs}
    if len(versions) > 1 or len({run.suite_id for run in runs}) > 1:
        raise NotComparable
    rows = list(
        ImagePair.objects.filter(version__in=versions).select_related("content", "style").order_by("name")
    )
    scores = [{score.pair_id: score for score in read_table(run.pair_scores.sha256)} for run in runs]  # type: ignore[union-attr]
    hidden = [_pair(row) for row in rows if row.split == ImagePair.Split.HIDDEN]
    released = [row for row in rows if row.split == ImagePair.Split.PUBLIC]
    views = [_view(run) for run in runs]
    try:
        metrics = [_compare(runs, scores, hidden, name, top=0) for name in METRICS]
        pairs = [_pair(row) for row in released]
        single = _compare(runs, scores, pairs, metric, top=TOP) if pairs else None
    except EvaluationError as error:
        raise NotComparable(error.message, fix=error.fix) from error
    shown = _pictured(views, released, single)
    return RunComparison(
        views[0],
        views[1],
        tuple(metrics),
        tuple(shown[d.pair_id] for d in single.wins) if single else (),
        tuple(shown[d.pair_id] for d in single.losses) if single else (),
        SEED,
        len(released),
    )


def _scored_run(submission_id: UUID, viewer: Viewer) -> Run:
    run = (
        Run.objects.filter(submission__in=visible_submissions(viewer).values("pk"), submission=submission_id)
        .filter(state=RunState.SCORED)
        .exclude(purpose=Run.Purpose.DRY_RUN)
        .select_related("submission__phase__competition", "submission__team", "suite", "pair_scores")
        .order_by("-finished_at", "-pk")
        .first()
    )
    if run is None:
        raise NotFound("There is no such submission with scores, or you may not see it.")
    return run


def _view(run: Run) -> ComparedRun:
    submission, phase = run.submission, run.submission.phase
    return ComparedRun(
        submission_id=submission.pk,
        run_id=run.pk,
        maker_id=run.source_id or run.pk,
        name=submission.name,
        team=submission.team.name if submission.team else "",
        kind=submission.kind,
        competition=phase.competition.slug,
        competition_title=phase.competition.title,
        phase_id=phase.pk,
        phase=phase.slug,
        suite=run.suite.name,
    )


def _pair(row: ImagePair) -> Pair:
    return Pair(
        id=row.name,
        content=_NO_FILE,
        style=_NO_FILE,
        content_sha256=row.content.sha256,
        style_sha256=row.style.sha256,
        split=row.split,
        style_family=row.style_family,
        culture=row.culture,
        content_kind=row.content_kind,
    )


def _compare(
    runs: Sequence[Run],
    scores: Sequence[Mapping[str, PairScore]],
    pairs: Sequence[Pair],
    metric: str,
    *,
    top: int,
) -> Comparison:
    digest = dataset_digest(pairs)
    first, second = (
        Report(
            suite_id=run.suite.name,
            suite_digest=run.suite.digest,
            backbone="",
            backbone_digest="",
            dataset_digest=digest,
            pairs=tuple(table[pair.id] for pair in pairs if pair.id in table),
            rows=(),
            labels=(),
        )
        for run, table in zip(runs, scores, strict=True)
    )
    return compare_runs(first, second, pairs, metric=metric, top=top, seed=SEED)


def _pictured(
    views: Sequence[ComparedRun], rows: Sequence[ImagePair], single: Comparison | None
) -> dict[str, ComparedPair]:
    """Gather the released pairs that are listed, by name."""
    listed = {d.pair_id: d for d in (*single.wins, *single.losses)} if single else {}
    chosen = [row for row in rows if row.name in listed]
    pictures = pictured({view.run_id: view.maker_id for view in views}, [row.pk for row in chosen])
    return {
        row.name: ComparedPair(
            PairView.of(row),
            listed[row.name],
            frozenset(run_id for run_id, made in pictures.items() if row.pk in made),
        )
        for row in chosen
    }
