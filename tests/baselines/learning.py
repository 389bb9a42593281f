"""Small trainings that several test files share: few pictures, few steps, real code."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from baselines.baseline import Baseline
from baselines.registry import BASELINES
from baselines.training.batches import sample_pairs
from baselines.training.features import Features, fit_scale, load_features
from baselines.training.method import Batch, Method
from baselines.training.pictures import GENERATED, Pictures, read_contents, read_styles
from baselines.training.recipe import Recipe
from baselines.training.train import Plan, build_method, train

LEARNED = [name for name, baseline in BASELINES.items() if baseline.kind == "learned"]
SIDE = 32  # pixels


@cache
def pictures() -> tuple[Pictures, Pictures]:
    """Return photographs of scikit-image and painted styles of one culture."""
    return read_contents((GENERATED,), SIDE), read_styles((GENERATED,), SIDE, ("Dutch",))


@cache
def features() -> Features:
    """Return the features that the project ships, on one scale."""
    samples = sample_pairs(*pictures(), Recipe(steps=1, batch=1, size=SIDE), 8)
    return fit_scale(load_features("tiny-vgg-1", "cpu"), torch.cat(samples))


def new_method(name: str) -> Method:
    """Build the training method of a baseline, seeded."""
    torch.manual_seed(0)
    return build_method(BASELINES[name], features(), SIDE)


def fixed_batch(count: int = 2) -> Batch:
    """Return the same crops of the generated pictures each time."""
    return Batch(*sample_pairs(*pictures(), Recipe(steps=1, batch=1, size=SIDE), count), step=0, progress=0.5)


def train_briefly(baseline: Baseline, folder: Path, *, steps: int = 30, **plan: object) -> None:
    """Train on generated pictures."""
    recipe = Recipe(steps=steps, batch=2, size=SIDE)
    settings = replace(Plan(folder, save_every=10, note="generated pictures"), **plan)  # type: ignore[arg-type]
    train(baseline, features(), pictures(), recipe, settings)
