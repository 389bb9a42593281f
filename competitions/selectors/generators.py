"""Read what is known of one generator: the card of a baseline or of a team's entries of one name, and all its runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from competitions.errors import NotFound
from competitions.models import ImagePair, Run, RunOutput, Score, Submission
from competitions.selectors.access import (
    Viewer,
    listed_competitions,
    managed_submissions,
    visible_submissions,
)
from competitions.selectors.competitions import PairView
from competitions.selectors.leaderboards import Estimate

CARDS = settings.BASE_DIR / "baselines" / "cards"
SAMPLES = 6


@dataclass(frozen=True)
class RunLine:
    """A submission with its latest run; `headline` is None before there are scores."""

    submission_id: UUID
    version: str
    created_at: datetime
    competition: str
    competition_title: str
    phase: str
    state: str
    is_disqualified: bool
    headline: Estimate | None


@dataclass(frozen=True)
class SampleView:
    """Pictures of the newest scored run: of released pairs, one of each style, with the seconds that each took."""

    id: UUID
    outputs: tuple[tuple[PairView, float], ...]


@dataclass(frozen=True)
class GeneratorView:
    """A generator as its newest submission describes it; `card` is the Markdown that a shipped baseline brings.

    `sample` is None before there are scores, and where all that has some is disqualified.
    """

    name: str
    kind: str
    team: str
    title: str
    description: str
    manifest: Mapping[str, object]
    archive_sha256: str
    archive_size: int
    card: str
    runs: tuple[RunLine, ...]
    sample: SampleView | None


def get_generator(name: str, viewer: Viewer, *, team: str | None = None) -> GeneratorView:
    """Return the baseline with that name, or what the team has entered under it, or raise NotFound.

    Runs in competitions that are not listed stay with those who manage them.
    """
    shown = Q(phase__competition__in=listed_competitions(viewer).values("pk"))
    shown |= Q(pk__in=managed_submissions(viewer).values("pk"))
    whose = Q(kind="entry", team__slug=team) if team else Q(kind="baseline")
    found = visible_submissions(viewer).filter(shown, whose, name=name)
    rows = list(
        Submission.objects.filter(pk__in=found.values("pk"))
        .select_related("archive", "team", "phase__competition")
        .prefetch_related("disqualifications")
        .order_by("-created_at", "-pk")
    )
    if not rows:
        raise NotFound("There is no such generator, or you may not see it.")
    newest = rows[0]
    runs = _latest_runs(rows)
    headlines = {
        score.run_id: Estimate(score.value, score.low, score.high)
        for score in Score.objects.filter(run__in=runs.values(), metric="headline", split="hidden")
    }
    return GeneratorView(
        name=name,
        kind=newest.kind,
        team=newest.team.name if newest.team else "",
        title=str(newest.manifest.get("title", "")),
        description=str(newest.manifest.get("description", "")),
        manifest=newest.manifest,
        archive_sha256=newest.archive.sha256,
        archive_size=newest.archive.size,
        card=_card(newest),
        runs=tuple(_line(row, runs[row.pk], headlines) for row in rows if row.pk in runs),
        sample=_sample(rows, runs),
    )


def _latest_runs(rows: list[Submission]) -> dict[UUID, Run]:
    """Return the run that counts of each submission: a rescoring only once it has scores."""
    runs = Run.objects.filter(submission__in=rows).exclude(purpose=Run.Purpose.DRY_RUN)
    runs = runs.filter(~Q(purpose=Run.Purpose.RESCORE) | Q(state="scored"))
    return {run.submission_id: run for run in runs.order_by("queued_at", "sequence").defer("manifest")}


def _line(row: Submission, run: Run, headlines: Mapping[UUID, Estimate]) -> RunLine:
    return RunLine(
        submission_id=row.pk,
        version=str(row.manifest.get("version", "")),
        created_at=row.created_at,
        competition=row.phase.competition.slug,
        competition_title=row.phase.competition.title,
        phase=row.phase.title,
        state=run.state,
        is_disqualified=_is_disqualified(row),
        headline=headlines.get(run.pk),
    )


def _sample(rows: list[Submission], runs: Mapping[UUID, Run]) -> SampleView | None:
    for row in rows:
        run = runs.get(row.pk)
        if run is None or run.state != "scored" or _is_disqualified(row):
            continue
        made = RunOutput.objects.filter(run=run.source_id or run.pk, pair__split=ImagePair.Split.PUBLIC)
        of_style: dict[int, tuple[PairView, float]] = {}
        for output in made.select_related("pair").order_by("pair__name"):
            of_style.setdefault(output.pair.style_id, (PairView.of(output.pair), output.seconds))
        return SampleView(run.pk, tuple(of_style.values())[:SAMPLES])
    return None


def _is_disqualified(row: Submission) -> bool:
    return any(one.lifted_at is None for one in row.disqualifications.all())


def _card(row: Submission) -> str:
    """Read the card that lies beside a shipped baseline, without its title; empty for everything else."""
    if row.kind != "baseline" or not row.is_shipped:
        return ""
    known = {path.stem.replace("_", "-"): path for path in CARDS.glob("*.md")}
    path = known.get(row.name)
    return path.read_text(encoding="utf-8").split("\n", 1)[1].strip() if path else ""
