"""The entries of the gaming table: attempts to play the score, plain color transfers, and real transfers."""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

import numpy as np
from torch import nn

from evaluation.controls import CONTROLS, blend
from evaluation.gaming.attack import attack, headline_surrogates
from evaluation.gaming.gauges import Gauges
from evaluation.gaming.transfers import transfer_adain
from evaluation.images import read_rgb, write_png
from evaluation.pairs import Pair
from evaluation.scoring import Scorer
from evaluation.spec import BACKBONE
from evaluation.training.tiny_vgg.transfers import transfer_gatys

BLENDS = (0.2, 0.35, 0.5, 0.65, 0.8)
SMALL_BUDGET = 8 / 255
_DAMAGE = ("identity", "style_copy", "blur", "noise", "style_shuffle", "style_quilt")
_COLORS = ("reinhard", "histogram", "linear", "palette", "reinhard_blur")

Judge = Literal["official", "jittered", "audit"]
Make = Callable[[Gauges, Pair], np.ndarray]
Transfer = Callable[[nn.Module, np.ndarray, np.ndarray, int], np.ndarray]


class Kind(StrEnum):
    """What an entry is after."""

    GAMING = "gaming"
    COLOR = "color transfer"
    REAL = "real transfer"


@dataclass(frozen=True)
class Entry:
    """A name, a kind, and the function that makes the uint8 (H, W, 3) output of one pair, knowing who judges it."""

    name: str
    kind: Kind
    make: Make


@dataclass(frozen=True)
class Effort:
    """Steps of the optimized entries: of L-BFGS for Gatys, short and long, and for AdaIN, of Adam for the attacks."""

    short: int = 10
    long: int = 50
    adain: int = 20
    attack: int = 100

    def scaled(self, factor: float) -> "Effort":
        """Return the same effort times a factor, at least one step each."""
        return Effort(*(max(1, round(factor * steps)) for steps in astuple(self)))


def shipped_entries(effort: Effort) -> tuple[Entry, ...]:
    """List the entries that need nothing but this library.

    Attacks climb the official headline, the last of them under all jitters. AdaIN and Gatys look through the official
    network, and the last one through the audit network, so that it does not see what the board sees.
    """
    controls = [(name, Kind.GAMING) for name in _DAMAGE] + [(name, Kind.COLOR) for name in _COLORS]
    steps = effort.attack
    return (
        *(Entry(name, kind, _from_control(name)) for name, kind in controls),
        *(Entry(f"blend_{100 * alpha:.0f}", Kind.GAMING, _from_blend(alpha)) for alpha in BLENDS),
        Entry(f"attack_small_{steps}", Kind.GAMING, _from_attack(steps, "official", SMALL_BUDGET)),
        Entry(f"attack_{steps}", Kind.GAMING, _from_attack(steps, "official")),
        Entry(f"attack_jitters_{2 * steps}", Kind.GAMING, _from_attack(2 * steps, "jittered")),
        Entry(f"adain_{effort.adain}", Kind.REAL, _from_transfer(transfer_adain, effort.adain, "official")),
        Entry(f"gatys_{effort.short}", Kind.REAL, _from_transfer(transfer_gatys, effort.short, "official")),
        Entry(f"gatys_{effort.long}", Kind.REAL, _from_transfer(transfer_gatys, effort.long, "official")),
        Entry(f"gatys_audit_{effort.long}", Kind.REAL, _from_transfer(transfer_gatys, effort.long, "audit")),
    )


def stored_entry(name: str, folder: Path) -> Entry:
    """Describe a real transfer whose outputs lie in a folder, `<pair id>.png` each."""
    return Entry(
        name, Kind.REAL, lambda gauges, pair: read_rgb(folder / f"{pair.id}.png", gauges.official.suite.size)
    )


def make_outputs(entry: Entry, gauges: Gauges, folder: Path) -> dict[str, np.ndarray]:
    """Make the output of every pair; pictures that lie in the folder already are taken as they are.

    Args:
        entry: what to make.
        gauges: the scorers whose pairs are answered.
        folder: where outputs are kept, as `<entry>/<pair id>.png`.

    Returns:
        pair id -> uint8 (size, size, 3).
    """
    outputs = {}
    for pair in gauges.pairs:
        path = folder / entry.name / f"{pair.id}.png"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_png(entry.make(gauges, pair), path)
        outputs[pair.id] = read_rgb(path, gauges.official.suite.size)
    return outputs


def _from_control(name: str) -> Make:
    return lambda gauges, pair: CONTROLS[name](read_rgb(pair.content), read_rgb(pair.style), 0)


def _from_blend(alpha: float) -> Make:
    return lambda gauges, pair: blend(read_rgb(pair.content), read_rgb(pair.style), alpha)


def _from_attack(steps: int, judge: Judge, budget: float = 1.0) -> Make:
    def make(gauges: Gauges, pair: Pair) -> np.ndarray:
        surrogates = headline_surrogates(_scorer(gauges, judge), pair)
        return attack(surrogates, read_rgb(pair.content), steps=steps, budget=budget)

    return make


def _from_transfer(transfer: Transfer, steps: int, judge: Judge) -> Make:
    def make(gauges: Gauges, pair: Pair) -> np.ndarray:
        network = _scorer(gauges, judge).recipe.networks[BACKBONE].network
        return transfer(network, read_rgb(pair.content), read_rgb(pair.style), steps)

    return make


def _scorer(gauges: Gauges, judge: Judge) -> Scorer:
    return {"official": gauges.official, "jittered": gauges.jittered, "audit": gauges.audit}[judge]
