"""The entries of the gaming table: attempts to play the score, plain color transfers, and real transfers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from evaluation.backbones.registry import load_backbone
from evaluation.controls import CONTROLS, blend
from evaluation.gaming.attack import attack, headline_surrogate
from evaluation.images import read_rgb, write_png
from evaluation.pairs import Pair
from evaluation.scoring import Scorer
from evaluation.spec import BACKBONE
from evaluation.training.tiny_vgg.transfers import transfer_gatys

BLENDS = (0.2, 0.35, 0.5, 0.65, 0.8)
SMALL_BUDGET = 8 / 255
_DAMAGE = ("identity", "style_copy", "blur", "noise", "style_shuffle", "style_quilt")
_COLORS = ("reinhard", "histogram", "linear", "palette", "reinhard_blur")
_FILTERS = "oriented-pyramid-1"

Make = Callable[[Scorer, Pair], np.ndarray]


class Kind(StrEnum):
    """What an entry is after."""

    GAMING = "gaming"
    COLOR = "color transfer"
    REAL = "real transfer"


@dataclass(frozen=True)
class Entry:
    """A name, a kind, and the function that makes the uint8 (H, W, 3) output of one pair for a scorer."""

    name: str
    kind: Kind
    make: Make


@dataclass(frozen=True)
class Effort:
    """Steps of the optimized entries: of L-BFGS for a short and a long Gatys transfer, of Adam for the attacks."""

    short: int = 10
    long: int = 50
    attack: int = 100

    def scaled(self, factor: float) -> "Effort":
        """Return the same effort times a factor, at least one step each."""
        return Effort(*(max(1, round(factor * steps)) for steps in (self.short, self.long, self.attack)))


def shipped_entries(effort: Effort) -> tuple[Entry, ...]:
    """List the entries that need nothing but this library; attacks and Gatys look through the scorer's own backbone.

    The last one, a Gatys transfer through fixed filters, does not see what the scorer sees.
    """
    controls = [(name, Kind.GAMING) for name in _DAMAGE] + [(name, Kind.COLOR) for name in _COLORS]
    return (
        *(Entry(name, kind, _from_control(name)) for name, kind in controls),
        *(Entry(f"blend_{100 * alpha:.0f}", Kind.GAMING, _from_blend(alpha)) for alpha in BLENDS),
        Entry("attack_small", Kind.GAMING, _from_attack(effort.attack, SMALL_BUDGET)),
        Entry("attack_free", Kind.GAMING, _from_attack(effort.attack, 1.0)),
        Entry(f"gatys_{effort.short}", Kind.REAL, _from_gatys(effort.short)),
        Entry(f"gatys_{effort.long}", Kind.REAL, _from_gatys(effort.long)),
        Entry(f"gatys_filters_{effort.long}", Kind.REAL, _from_gatys(effort.long, _FILTERS)),
    )


def stored_entry(name: str, folder: Path) -> Entry:
    """Describe a real transfer whose outputs lie in a folder, `<pair id>.png` each."""
    return Entry(name, Kind.REAL, lambda scorer, pair: read_rgb(folder / f"{pair.id}.png", scorer.suite.size))


def make_outputs(
    entry: Entry, scorer: Scorer, pairs: Sequence[Pair], folder: Path | None = None
) -> Mapping[str, np.ndarray]:
    """Make the output of every pair; with a folder, pictures that lie there already are taken as they are.

    Args:
        entry: what to make.
        scorer: whose score is played; it must know the pairs.
        pairs: to answer.
        folder: where outputs are kept, as `<entry>/<pair id>.png`.

    Returns:
        pair id -> uint8 (size, size, 3).
    """
    outputs = {}
    for pair in pairs:
        path = folder / entry.name / f"{pair.id}.png" if folder else None
        if path is not None and path.exists():
            outputs[pair.id] = read_rgb(path, scorer.suite.size)
            continue
        outputs[pair.id] = entry.make(scorer, pair)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_png(outputs[pair.id], path)
    return outputs


def _from_control(name: str) -> Make:
    return lambda scorer, pair: CONTROLS[name](read_rgb(pair.content), read_rgb(pair.style), 0)


def _from_blend(alpha: float) -> Make:
    return lambda scorer, pair: blend(read_rgb(pair.content), read_rgb(pair.style), alpha)


def _from_attack(steps: int, budget: float) -> Make:
    return lambda scorer, pair: attack(
        headline_surrogate(scorer, pair), read_rgb(pair.content), steps=steps, budget=budget
    )


def _from_gatys(steps: int, network: str | None = None) -> Make:
    """Optimize through a named network, or through the one that the scorer itself looks through."""

    def make(scorer: Scorer, pair: Pair) -> np.ndarray:
        backbone = load_backbone(network) if network else scorer.recipe.networks[BACKBONE]
        return transfer_gatys(backbone.network, read_rgb(pair.content), read_rgb(pair.style), steps)

    return make
