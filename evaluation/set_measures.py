"""Metrics of all outputs together: how far the set of outputs lies from the set of style images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.errors import InvalidTensor
from evaluation.metrics.sets import SetScore, artfid, fid, kid_interval, precision_recall

SEED = 20_260_101
DRAWS = 200


@dataclass(frozen=True)
class OutputSet:
    """What set-level metrics see: features (n, D) of outputs and of style images, and each output's style."""

    outputs: np.ndarray
    references: np.ndarray
    styles: Sequence[str]
    lpips: float | None


@dataclass(frozen=True)
class SetMeasure:
    """A documented metric function of feature sets, the ingredient it reads, and how it is applied."""

    formula: Callable[..., object]
    ingredient: str
    apply: Callable[[OutputSet], SetScore]


def _kid(images: OutputSet) -> SetScore:
    return kid_interval(images.outputs, images.references, groups=images.styles, draws=DRAWS, seed=SEED)


def _fid(images: OutputSet) -> SetScore:
    value = fid(images.outputs, images.references)
    return SetScore(value, None, None, len(images.outputs), len(images.references))


def _artfid(images: OutputSet) -> SetScore:
    if images.lpips is None:
        raise InvalidTensor("ArtFID needs LPIPS, which this suite does not measure.")
    distance = _fid(images)
    return SetScore(artfid(images.lpips, distance.value), None, None, distance.n, distance.n_reference)


def _precision(images: OutputSet) -> SetScore:
    found = precision_recall(images.outputs, images.references)
    return SetScore(found.precision, None, None, found.n, found.n_reference)


def _recall(images: OutputSet) -> SetScore:
    found = precision_recall(images.outputs, images.references)
    return SetScore(found.recall, None, None, found.n, found.n_reference)


SET_MEASURES: Mapping[str, SetMeasure] = {
    "kid": SetMeasure(kid_interval, "inception", _kid),
    "fid": SetMeasure(fid, "inception", _fid),
    "precision": SetMeasure(precision_recall, "inception", _precision),
    "recall": SetMeasure(precision_recall, "inception", _recall),
    "artfid": SetMeasure(artfid, "inception", _artfid),
    "kid_backbone": SetMeasure(kid_interval, "pooled", _kid),
}
