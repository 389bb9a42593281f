"""Read competitions, their phases, public pairs and quotas."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Prefetch, Q
from django.utils import timezone
from django.utils.translation import get_language

from accounts.models import Team, User
from competitions.errors import NotFound, PhaseClosed
from competitions.models import Competition, ImagePair, Phase, QuotaEntry
from competitions.rules import phase_state, phase_that_matters, start_of_day
from competitions.selectors.access import Viewer, listed_competitions, visible_competitions
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.spec import MetricSpec, MetricSuite, parse_suite


@dataclass(frozen=True)
class PhaseView:
    """A phase with the state it is in now; `limits` are what a generator may use, `version_pk` is its dataset."""

    pk: int
    slug: str
    title: str
    opens_at: datetime
    closes_at: datetime
    state: str
    runs_per_day: int
    runs_total: int
    required_coverage: float
    counting: str
    finals_per_team: int
    limits: Mapping[str, int]
    suite: MetricSuite
    n_public: int
    n_hidden: int
    version_pk: int


@dataclass(frozen=True)
class CompetitionView:
    """A competition as pages and API show it; `phase` is the one that matters now.

    The texts are in the reader's language where the organizers wrote them in it; `other_language` names the
    language of those that are not.
    """

    slug: str
    title: str
    summary: str
    description: str
    is_published: bool
    phases: tuple[PhaseView, ...]
    phase: PhaseView | None
    metrics: tuple[MetricSpec, ...]
    credits: str
    other_language: str = ""


@dataclass(frozen=True)
class PairView:
    """A public pair; images are fetched by its `pk`."""

    pk: int
    name: str
    style_family: str
    culture: str
    content_kind: str

    @classmethod
    def of(cls, pair: ImagePair) -> "PairView":
        """Show a pair."""
        return cls(pair.pk, pair.name, pair.style_family, pair.culture, pair.content_kind)


@dataclass(frozen=True)
class QuotaView:
    """What a team has used and has left in a phase."""

    per_day: int
    used_today: int
    left_today: int
    left_total: int


def competitions(viewer: Viewer, *, only: Collection[int] | None = None) -> list[CompetitionView]:
    """List the competitions that the viewer may see, or only those with these keys, newest first."""
    rows = listed_competitions(viewer).prefetch_related(_with_phases()).order_by("-created_at", "-pk")
    if only is not None:
        rows = rows.filter(pk__in=only)
    counts = _pair_counts([phase for row in rows for phase in row.phases.all()])
    return [_competition_view(row, counts) for row in rows]


def get_competition(slug: str, viewer: Viewer) -> CompetitionView:
    """Return one competition, or raise NotFound."""
    row = visible_competitions(viewer).prefetch_related(_with_phases()).filter(slug=slug).first()
    if row is None:
        raise NotFound(f"There is no competition {slug!r}.")
    return _competition_view(row, _pair_counts(list(row.phases.all())))


def find_phase(competition: CompetitionView, slug: str | None) -> PhaseView:
    """Return the phase with that slug (without a slug: the one that matters now), or raise."""
    if not slug:
        if competition.phase is None:
            raise PhaseClosed
        return competition.phase
    for phase in competition.phases:
        if phase.slug == slug:
            return phase
    raise NotFound(f"There is no phase {slug!r} in {competition.slug}.")


def public_pairs(phase: PhaseView) -> list[PairView]:
    """List the pairs that everybody may see."""
    pairs = ImagePair.objects.filter(version__phases=phase.pk, split=ImagePair.Split.PUBLIC).order_by("name")
    return [PairView.of(pair) for pair in pairs]


def quota(phase: PhaseView | Phase, team: Team, user: User | None = None) -> QuotaView:
    """Count what a team has used in a phase, as `quotas` does for many."""
    return quotas(phase, [team], user)[0]


def quotas(phase: PhaseView | Phase, teams: Sequence[Team], user: User | None = None) -> list[QuotaView]:
    """Count what teams have used in a phase, in their order; refunded runs do not count.

    For a user, what the user has used in all teams bounds what is left: many teams bring nobody more runs.
    """
    paid = QuotaEntry.objects.filter(phase=phase.pk).exclude(state=QuotaEntry.State.REFUNDED)
    since = start_of_day(timezone.now())
    counted = {"total": Count("pk"), "today": Count("pk", filter=Q(created_at__gte=since))}
    by_team: dict[int, tuple[int, int]] = {
        team: (total, today)
        for team, total, today in paid.filter(team__in=teams).values_list("team").annotate(**counted)
    }
    own = paid.filter(run__submission__submitted_by=user).aggregate(**counted) if user else {}
    most = (own.get("total", 0), own.get("today", 0))
    used = [by_team.get(team.pk, (0, 0)) for team in teams]
    return [_quota_view(phase, *map(max, counts, most)) for counts in used]


def _quota_view(phase: PhaseView | Phase, total: int, today: int) -> QuotaView:
    left_total = max(0, phase.runs_total - total)
    left_today = min(left_total, max(0, phase.runs_per_day - today))
    return QuotaView(phase.runs_per_day, today, left_today, left_total)


def _with_phases() -> Prefetch:
    return Prefetch("phases", Phase.objects.select_related("suite", "dataset_version"))


def _pair_counts(phases: list[Phase]) -> dict[tuple[int, str], int]:
    versions = {phase.dataset_version_id for phase in phases}
    pairs = ImagePair.objects.filter(version__in=versions).values_list("version_id", "split")
    return {(version, split): n for version, split, n in pairs.annotate(n=Count("pk"))}


def _competition_view(row: Competition, counts: dict[tuple[int, str], int]) -> CompetitionView:
    ordered = sorted(row.phases.all(), key=lambda phase: phase.opens_at)
    phases = tuple(_phase_view(phase, counts) for phase in ordered)
    current = phases[phase_that_matters([phase.state for phase in phases])] if phases else None
    credits = ""
    if current:
        credits = next(p for p in ordered if p.pk == current.pk).dataset_version.credits
    texts = {name: _in_language(row, name) for name in ("title", "summary", "description")}
    return CompetitionView(
        slug=row.slug,
        **texts,
        other_language=_other_language(row),
        is_published=row.is_published,
        phases=phases,
        phase=current,
        metrics=_metrics(current.suite) if current else (),
        credits=credits,
    )


def _in_language(row: Competition, name: str) -> str:
    """Return a text in the reader's language, or in the other one where it is missing."""
    english, chinese = str(getattr(row, name)), str(getattr(row, f"{name}_zh"))
    return (chinese or english) if _reads_chinese() else (english or chinese)


def _other_language(row: Competition) -> str:
    """Name the language that a reader gets the summary in, where it is not the reader's own."""
    if _reads_chinese():
        return "en" if row.summary and not row.summary_zh else ""
    return "zh-Hans" if row.summary_zh and not row.summary else ""


def _reads_chinese() -> bool:
    return (get_language() or "").startswith("zh")


def _phase_view(phase: Phase, counts: dict[tuple[int, str], int]) -> PhaseView:
    return PhaseView(
        pk=phase.pk,
        slug=phase.slug,
        title=phase.title,
        opens_at=phase.opens_at,
        closes_at=phase.closes_at,
        state=phase_state(phase.opens_at, phase.closes_at, timezone.now()),
        runs_per_day=phase.runs_per_day,
        runs_total=phase.runs_total,
        required_coverage=phase.required_coverage,
        counting=phase.counting,
        finals_per_team=phase.finals_per_team,
        limits={
            "archive_mb": settings.MAX_ARCHIVE_MB,
            "memory_mb": phase.memory_mb,
            "load_seconds": phase.load_seconds,
            "pair_seconds": phase.pair_seconds,
            "run_seconds": phase.run_seconds,
        },
        suite=parse_suite(phase.suite.document),
        n_public=counts.get((phase.dataset_version_id, "public"), 0),
        n_hidden=counts.get((phase.dataset_version_id, "hidden"), 0),
        version_pk=phase.dataset_version_id,
    )


def _metrics(suite: MetricSuite) -> tuple[MetricSpec, ...]:
    names = dict.fromkeys(
        (
            "headline",
            "content",
            "style",
            *suite.content_parts,
            *suite.style_parts,
            *suite.columns,
            *suite.set_columns,
        )
    )
    return tuple(METRIC_SPECS[name] for name in names if name in METRIC_SPECS)
