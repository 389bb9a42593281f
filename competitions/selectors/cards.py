"""Read what stands on the cards of all competitions, with a constant number of queries."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.db.models import Max

from competitions.models import ImagePair, LeaderboardRow, LeaderboardSnapshot
from competitions.selectors.access import Viewer
from competitions.selectors.competitions import CompetitionView, PairView, competitions
from competitions.selectors.leaderboards import choose_strip, makers_of, pictured
from competitions.slicing import AXES


@dataclass(frozen=True)
class CardView:
    """A competition with its strip: public pairs, and the leader's pictures for those in `pictured`.

    The leader is the best ranked entry, or the best line of all before there is one. `labels` are axis -> labels of
    the public pairs.
    """

    competition: CompetitionView
    strip_pairs: tuple[PairView, ...]
    leader: str
    leader_run_id: UUID | None
    pictured: frozenset[int]
    n_entries: int
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)


def cards(viewer: Viewer) -> list[CardView]:
    """List the cards of the competitions that the viewer may see, newest first."""
    found = competitions(viewer)
    versions = {one.phase.pk: one.phase.version_pk for one in found if one.phase}
    pairs, boards = _public_pairs(versions), _rows(list(versions))
    strips = {phase: choose_strip(rows) for phase, rows in pairs.items()}
    shown = [pair.pk for strip in strips.values() for pair in strip]
    pictures = pictured(makers_of(_leader(rows).run for rows in boards.values()), shown)
    made = []
    for competition in found:
        phase = competition.phase.pk if competition.phase else 0
        labels = {axis: frozenset(getattr(p, axis) for p in pairs.get(phase, ())) for axis in AXES}
        card = CardView(competition, strips.get(phase, ()), "", None, frozenset(), 0, labels)
        made.append(_with_leader(card, boards[phase], pictures) if phase in boards else card)
    return made


def _with_leader(
    card: CardView, rows: list[LeaderboardRow], pictures: Mapping[UUID, frozenset[int]]
) -> CardView:
    leader = _leader(rows)
    return replace(
        card,
        leader=leader.submission.name,
        leader_run_id=leader.run_id,
        pictured=pictures[leader.run_id],
        n_entries=sum(row.rank is not None for row in rows),
    )


def _public_pairs(versions: Mapping[int, int]) -> dict[int, list[ImagePair]]:
    by_version: dict[int, list[ImagePair]] = {}
    pairs = ImagePair.objects.filter(version__in=versions.values(), split=ImagePair.Split.PUBLIC)
    for pair in pairs.order_by("name"):
        by_version.setdefault(pair.version_id, []).append(pair)
    return {phase: by_version.get(version, []) for phase, version in versions.items()}


def _rows(phases: list[int]) -> dict[int, list[LeaderboardRow]]:
    newest = LeaderboardSnapshot.objects.filter(phase__in=phases).values("phase").annotate(newest=Max("pk"))
    rows = LeaderboardRow.objects.filter(snapshot__in=newest.values("newest"))
    boards: dict[int, list[LeaderboardRow]] = {}
    for row in (
        rows.select_related("submission", "snapshot", "run")
        .defer("values", "run__manifest")
        .order_by("position")
    ):
        boards.setdefault(row.snapshot.phase_id, []).append(row)
    return boards


def _leader(rows: list[LeaderboardRow]) -> LeaderboardRow:
    return next((row for row in rows if row.rank is not None), rows[0])
