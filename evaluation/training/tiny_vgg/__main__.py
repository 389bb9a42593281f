"""Command line: prepare lessons, train the student, study how well it agrees with its teacher."""

import json
from pathlib import Path

import click
import torch

from evaluation.backbones import tiny_vgg
from evaluation.controls import CONTROLS
from evaluation.training.tiny_vgg.agreement import compare
from evaluation.training.tiny_vgg.lessons import control_methods, prepare_lessons, read_lessons
from evaluation.training.tiny_vgg.pictures import read_collection
from evaluation.training.tiny_vgg.study import (
    SIZE,
    build_study,
    measure_study,
    read_distances,
    save_distances,
)
from evaluation.training.tiny_vgg.teacher import Teacher
from evaluation.training.tiny_vgg.train import Recipe, train
from evaluation.training.tiny_vgg.transfers import lesson_transfers, study_transfers
from evaluation.training.tiny_vgg.weights import load_student

SHIPPED = Path(tiny_vgg.__file__).with_name(tiny_vgg.WEIGHTS_FILE)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
WEIGHTS = click.Path(path_type=Path, exists=True, dir_okay=False)
WORK = click.Path(path_type=Path, file_okay=False)


@click.group()
def cli() -> None:
    """Distill VGG-19 into the backbone tiny-vgg-1."""


@cli.command()
@click.argument("images", type=FOLDER)
@click.argument("weights", type=FOLDER)
@click.argument("folder", type=WORK)
@click.option("--groups", default=240, show_default=True, help="Groups of 19 crops.")
@click.option("--first", default=0, show_default=True, help="First group, to share the work out.")
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", default=1, show_default=True)
def prepare(
    images: Path, weights: Path, folder: Path, groups: int, first: int, *, seed: int, threads: int
) -> None:
    """Write lessons to FOLDER: crops of the training IMAGES, transfers between them, and the teacher's view."""
    torch.set_num_threads(threads)
    teacher = Teacher(weights)
    methods = {**control_methods(), **lesson_transfers(teacher)}
    collection = read_collection(images, held_out=False)
    prepare_lessons(folder, collection, methods, teacher, groups=range(first, groups), seed=seed)


@cli.command("train")
@click.argument("lessons", type=FOLDER)
@click.argument("folder", type=WORK)
@click.option("--groups", default=0, help="Use the first groups only; 0 for all.")
@click.option("--steps", default=Recipe.steps, show_default=True)
@click.option("--emphasis", default=Recipe.emphasis, show_default=True, help="Weight of the content tap.")
@click.option("--seed", default=Recipe.seed, show_default=True)
@click.option("--threads", default=1, show_default=True)
def train_command(
    lessons: Path, folder: Path, groups: int, steps: int, emphasis: float, *, seed: int, threads: int
) -> None:
    """Train on LESSONS; FOLDER gets weights, log and state. A run that was stopped goes on."""
    torch.set_num_threads(threads)
    recipe = Recipe(steps=steps, emphasis=emphasis, seed=seed)
    click.echo(train(read_lessons(lessons, groups or None), folder, recipe))


@cli.command()
@click.argument("images", type=FOLDER)
@click.argument("weights", type=FOLDER)
@click.argument("folder", type=WORK)
@click.option(
    "--student", type=WEIGHTS, default=SHIPPED, help="What to measure; the shipped file if not given."
)
@click.option("--threads", default=1, show_default=True)
def study(images: Path, weights: Path, folder: Path, student: Path, threads: int) -> None:
    """Build the study set in FOLDER from held-out IMAGES, measure a student against the teacher, print JSON."""
    torch.set_num_threads(threads)
    teacher = Teacher(weights)
    methods = {**CONTROLS, **study_transfers(teacher)}
    build_study(folder / "outputs", read_collection(images, held_out=True, size=SIZE), methods)
    known = folder / "reference.json"
    reference = read_distances(known, list(methods))
    if reference is None:
        reference = measure_study(folder / "outputs", teacher, list(methods))
        save_distances(reference, list(methods), known)
    ours = measure_study(folder / "outputs", load_student(student), list(methods))
    click.echo(json.dumps(compare(reference, ours, list(methods)), indent=1))


if __name__ == "__main__":
    cli()
