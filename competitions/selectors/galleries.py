"""Read released pairs, and which runs have pictures of them; every picture is fetched behind `files`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from competitions.errors import NotFound
from competitions.models import ImagePair
from competitions.selectors.competitions import PairView, PhaseView
from competitions.selectors.leaderboards import RowView, pictured


@dataclass(frozen=True)
class ReleasedPair:
    """A pair that everybody may see; `content` and `style` tell which pairs share an image."""

    view: PairView
    content: int
    style: int


def released_pairs(phase: PhaseView) -> list[ReleasedPair]:
    """List the pairs of a phase that everybody may see, by name."""
    rows = ImagePair.objects.filter(version__phases=phase.pk, split=ImagePair.Split.PUBLIC).order_by("name")
    return [
        ReleasedPair(
            PairView.of(row),
            row.content_id,
            row.style_id,
        )
        for row in rows
    ]


def find_pair(pairs: Sequence[ReleasedPair], name: str) -> int:
    """Return the place of a released pair, or raise NotFound: of hidden pairs nobody learns that they exist."""
    for place, pair in enumerate(pairs):
        if pair.view.name == name:
            return place
    raise NotFound("There is no such pair, or it is not released.")


def pictured_pairs(rows: Sequence[RowView], pair_ids: Sequence[int]) -> Mapping[UUID, frozenset[int]]:
    """Say for which of these pairs the run of each of these rows has a picture."""
    return pictured({row.run_id: row.maker_id for row in rows}, pair_ids)
