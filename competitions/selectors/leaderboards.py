"""Read the newest leaderboard snapshot, with a constant number of queries."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from uuid import UUID
from zlib import crc32

from competitions.models import ImagePair, LeaderboardRow, LeaderboardSnapshot, Run, RunOutput
from competitions.rules import LIVE_STATES
from competitions.selectors.board_versions import board_number, kept
from competitions.selectors.competitions import CompetitionView, PairView, PhaseView
from competitions.selectors.disqualifications import DisqualifiedView, disqualified
from competitions.selectors.flags import FlagView, confirmed_flags
from competitions.slicing import SliceSize

STRIP_LENGTH, MAX_STRIPS = 4, 25
# What a board reads of its rows and of what belongs to them: manifests are long, and boards may be.
_JOINED = ("submission__team", "submission__archive", "run")
_READ = (
    *("snapshot", "position", "rank", "rank_low", "rank_high", "group", "group_last", "p_next"),
    *("values", "slices", "n_valid", "unranked_reason"),
    *("submission__name", "submission__kind", "submission__created_at", "submission__team"),
    *("submission__team__name", "submission__team__slug", "submission__archive__size", "run__source"),
)


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval, where there is one."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class RowView:
    """One line of the board. `rank` is None for baselines and for runs that are not ranked.

    Rows whose ranges `group`..`group_last` meet cannot be told apart; `p_next` is the corrected p of the
    difference to the next rank.

    `strip` holds the keys of the pairs, in the board's order, for which this run has a picture; `maker_id` is the
    run that made its pictures: another one, if this one only scored them again. `flags` are the signs of gaming
    that an organizer has confirmed. `slices` are axis -> label -> headline, thin slices left out.
    """

    position: int
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    group: int | None
    group_last: int | None
    p_next: float | None
    name: str
    team: str
    kind: str
    submission_id: UUID
    run_id: UUID
    values: Mapping[str, Estimate]
    n_valid: int
    unranked_reason: str
    created_at: datetime
    strip: frozenset[int]
    flags: tuple[FlagView, ...]
    maker_id: UUID
    team_id: int | None = None
    team_slug: str = ""
    archive_size: int = 0
    slices: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)


@dataclass(frozen=True)
class SnapshotView:
    """When and from what the board was made; `slices` are axis -> label -> size."""

    pk: int
    created_at: datetime
    suite_name: str
    seed: int
    draws: int
    n_pairs: int
    n_styles: int
    n_contents: int
    slices: Mapping[str, Mapping[str, SliceSize]] = field(default_factory=dict)


@dataclass(frozen=True)
class BoardContent:
    """What a board says to everybody who may see it, in every language.

    `snapshot` is None before the first run is scored. `n_strips` counts the strips that could be shown, pairs being
    in one each. `is_rescoring`: runs are scored again, and until the last of them has ended this board stands.
    """

    snapshot: SnapshotView | None
    rows: tuple[RowView, ...]
    strip_pairs: tuple[PairView, ...]
    n_strips: int
    disqualified: tuple[DisqualifiedView, ...]
    is_rescoring: bool


@dataclass(frozen=True)
class Leaderboard(BoardContent):
    """A phase's board, with competition and phase as its reader sees them now."""

    competition: CompetitionView
    phase: PhaseView

    @property
    def suite(self) -> str:
        """Name the suite by which these rows were scored; before there are any, the phase's."""
        return self.snapshot.suite_name if self.snapshot else self.phase.suite.id


# What is kept by one version of this code is nothing to another one, where the fields are others.
_PARTS = (BoardContent, SnapshotView, RowView, Estimate, SliceSize, PairView, DisqualifiedView, FlagView)
_KIND = f"content-{crc32(repr([[field.name for field in fields(part)] for part in _PARTS]).encode())}"


def leaderboard(competition: CompetitionView, phase: PhaseView, *, strip: int = 0) -> Leaderboard:
    """Return the newest snapshot of a phase; `strip` says which pairs all rows show, the first ones or others."""
    if strip:  # addresses that few ask for
        content = _content(phase, strip)
    else:
        content = kept(_KIND, phase.pk, board_number(phase.pk), lambda: _content(phase, 0))
    return Leaderboard(competition=competition, phase=phase, **vars(content))


def _content(phase: PhaseView, strip: int) -> BoardContent:
    snapshot = _newest(phase)
    strips, off_the_board = strips_of(_public_pairs(phase)), disqualified(phase.pk)
    pairs = strips[strip % len(strips)] if strips else ()
    rows = _standing(snapshot, off_the_board)
    made = pictured(makers_of(row.run for row in rows), [pair.pk for pair in pairs])
    flags = confirmed_flags([row.run_id for row in rows])
    return BoardContent(
        snapshot=_snapshot_view(snapshot) if snapshot else None,
        rows=tuple(_row_view(row, made[row.run_id], flags.get(row.run_id, ())) for row in rows),
        strip_pairs=pairs,
        n_strips=len(strips),
        disqualified=off_the_board,
        is_rescoring=is_rescoring(phase.pk),
    )


def board_rows(phase: PhaseView) -> tuple[RowView, ...]:
    """Return the rows of the newest snapshot alone, without strips and flags."""
    return tuple(_row_view(row, frozenset(), ()) for row in _standing(_newest(phase), disqualified(phase.pk)))


def is_rescoring(phase_id: int) -> bool:
    """Say whether runs of a phase are being scored again."""
    live = Run.objects.filter(purpose=Run.Purpose.RESCORE, state__in=LIVE_STATES)
    return live.filter(submission__phase=phase_id).exists()


def _newest(phase: PhaseView) -> LeaderboardSnapshot | None:
    return LeaderboardSnapshot.objects.filter(phase=phase.pk).order_by("-pk").first()


def _standing(
    snapshot: LeaderboardSnapshot | None, off_the_board: Iterable[DisqualifiedView]
) -> list[LeaderboardRow]:
    """Read the rows but those of disqualified submissions: the next snapshot is without them."""
    if snapshot is None:
        return []
    taken_off = {line.submission_id for line in off_the_board}
    rows = snapshot.rows.select_related(*_JOINED).only(*_READ)
    return [row for row in rows if row.submission_id not in taken_off]


def _snapshot_view(snapshot: LeaderboardSnapshot) -> SnapshotView:
    return SnapshotView(
        pk=snapshot.pk,
        created_at=snapshot.created_at,
        suite_name=snapshot.suite_name,
        seed=snapshot.seed,
        draws=snapshot.draws,
        n_pairs=snapshot.n_pairs,
        n_styles=snapshot.n_styles,
        n_contents=snapshot.n_contents,
        slices={
            axis: {label: SliceSize(*size) for label, size in sizes.items()}
            for axis, sizes in snapshot.slices.items()
        },
    )


def _row_view(row: LeaderboardRow, strip: frozenset[int], flags: tuple[FlagView, ...]) -> RowView:
    return RowView(
        position=row.position,
        rank=row.rank,
        rank_low=row.rank_low,
        rank_high=row.rank_high,
        group=row.group,
        group_last=row.group_last,
        p_next=row.p_next,
        name=row.submission.name,
        team=row.submission.team.name if row.submission.team else "",
        kind=row.submission.kind,
        submission_id=row.submission_id,
        run_id=row.run_id,
        values={name: Estimate(*numbers) for name, numbers in row.values.items()},
        n_valid=row.n_valid,
        unranked_reason=row.unranked_reason,
        created_at=row.submission.created_at,
        strip=strip,
        flags=flags,
        maker_id=row.run.source_id or row.run_id,
        team_id=row.submission.team_id,
        team_slug=row.submission.team.slug if row.submission.team else "",
        archive_size=row.submission.archive.size,
        slices={
            axis: {label: Estimate(*numbers) for label, numbers in labels.items()}
            for axis, labels in row.slices.items()
        },
    )


def _public_pairs(phase: PhaseView) -> list[ImagePair]:
    return list(
        ImagePair.objects.filter(version__phases=phase.pk, split=ImagePair.Split.PUBLIC).order_by("name")
    )


def choose_strip(pairs: Iterable[ImagePair]) -> tuple[PairView, ...]:
    """Choose public pairs for the strip: styles differ in family, contents differ while there are enough."""
    return _views(_varied(list(pairs)))


def strips_of(pairs: Iterable[ImagePair]) -> list[tuple[PairView, ...]]:
    """Deal public pairs out into strips, the most varied first; later ones may be shorter."""
    left = list(pairs)
    strips: list[tuple[PairView, ...]] = []
    while left and len(strips) < MAX_STRIPS:
        chosen = _varied(left)
        keys = {pair.pk for pair in chosen}
        left = [pair for pair in left if pair.pk not in keys]
        strips.append(_views(chosen))
    return strips


def _views(pairs: Iterable[ImagePair]) -> tuple[PairView, ...]:
    return tuple(PairView.of(pair) for pair in pairs)


def _varied(candidates: list[ImagePair]) -> list[ImagePair]:
    chosen: list[ImagePair] = []
    for contents_may_repeat in (False, True):
        for pair in candidates:
            is_new = all(pair.style_id != c.style_id and pair.style_family != c.style_family for c in chosen)
            if is_new and (contents_may_repeat or all(pair.content_id != c.content_id for c in chosen)):
                chosen.append(pair)
            if len(chosen) == STRIP_LENGTH:
                return chosen
    return chosen


def pictured(makers: Mapping[UUID, UUID], pair_ids: Collection[int]) -> dict[UUID, frozenset[int]]:
    """Say for which of these pairs each run has a picture; `makers` says which run made those that it shows."""
    outputs = RunOutput.objects.filter(run__in=makers.values(), pair__in=pair_ids)
    made: dict[UUID, set[int]] = {}
    for run_id, pair_id in outputs.values_list("run_id", "pair_id"):
        made.setdefault(run_id, set()).add(pair_id)
    return {run_id: frozenset(made.get(maker, ())) for run_id, maker in makers.items()}


def makers_of(runs: Iterable[Run]) -> dict[UUID, UUID]:
    """Say which run made the pictures that each of these shows: itself, or the one that it scored again."""
    return {run.pk: run.source_id or run.pk for run in runs}
