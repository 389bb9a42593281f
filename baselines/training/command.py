"""The command `train`: options in, a trained generator out, progress on the way."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from baselines.baseline import Baseline
from baselines.record import Record
from baselines.training.features import load_features
from baselines.training.pictures import GENERATED, read_contents, read_styles
from baselines.training.recipe import Recipe
from baselines.training.train import Plan, check_device, train
from evaluation.errors import EvaluationError

SIZE = {"cpu": 128, "cuda": 256}
WORKERS = {"cpu": 0, "cuda": 8}  # processes that read pictures; on a CPU they would only take turns


class NotLearned(EvaluationError):
    """This baseline has nothing to learn."""

    code = "NOT_LEARNED"


@dataclass(frozen=True)
class TrainOptions:
    """What was asked for on the command line; None leaves it to the baseline or the device."""

    content: tuple[str, ...] = (GENERATED,)
    style: tuple[str, ...] = (GENERATED,)
    culture: tuple[str, ...] = ()
    features: str = "tiny-vgg-1"
    teacher: Path | None = None
    steps: int | None = None
    batch: int | None = None
    size: int | None = None
    seed: int = 0
    device: str = "cpu"
    bf16: bool = False
    threads: int | None = None
    save_every: int = 250
    note: str = ""


def run_train(baseline: Baseline, folder: Path, options: TrainOptions) -> Record:
    """Train a baseline into a folder.

    Raises:
        EvaluationError: pictures, device, features or checkpoint are not as needed, or the training broke off.
    """
    if not baseline.method:
        raise NotLearned(f"{baseline.name} has nothing to learn.", fix="See: python -m baselines list")
    check_device(options.device)
    if baseline.collection and options.style == (GENERATED,) and not options.culture:
        options = replace(options, culture=(baseline.collection,))
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    recipe = Recipe(
        steps=options.steps or baseline.steps,
        batch=options.batch or baseline.batch,
        size=options.size or SIZE[options.device],
        seed=options.seed,
        is_bf16=options.bf16,
    )
    contents = read_contents(options.content, recipe.size)
    styles = read_styles(options.style, recipe.size, options.culture)
    features = load_features(options.features, options.device, teacher=options.teacher)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"Training {baseline.name}", total=recipe.steps)
        plan = Plan(
            folder=folder,
            device=options.device,
            workers=WORKERS[options.device],
            save_every=options.save_every,
            note=_describe(options),
            report=lambda step: progress.update(task, completed=step),
        )
        return train(baseline, features, (contents, styles), recipe, plan)


def print_record(record: Record, folder: Path, *, as_json: bool) -> None:
    """Say in a line, or as JSON, what came of a training."""
    minutes = f"{record.steps} steps, {record.seconds / 60:.0f} minutes"
    click.echo(json.dumps(asdict(record), indent=1) if as_json else f"{folder}: trained, {minutes}.")


def _describe(options: TrainOptions) -> str:
    """Say which pictures were used: in the words of whoever chose them, or by the names of their folders."""
    known = {GENERATED: "pictures that need no download (photographs of scikit-image, painted styles)"}
    sources = [known.get(source, Path(source).name) for source in (*options.content, *options.style)]
    cultures = f"; cultures: {', '.join(options.culture)}" if options.culture else ""
    return (options.note or "; ".join(dict.fromkeys(sources))) + cultures
