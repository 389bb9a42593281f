"""The training loop: one group a step, resumable, equal to the bit for equal seeds and threads."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from evaluation.backbones.tiny_vgg import BLOCKS, CONTENT_TAP, TAPS, TinyVGG
from evaluation.errors import InvalidTensor
from evaluation.training.tiny_vgg.balance import balance_taps
from evaluation.training.tiny_vgg.lessons import STRIDES, Lesson, choose_crops
from evaluation.training.tiny_vgg.relations import KINDS, group_distances, relation_loss
from evaluation.training.tiny_vgg.weights import save_student

WIDTHS = {tap: channels for tap, (channels, _) in zip(TAPS, BLOCKS, strict=True)}
FLOOR = 2e-3  # of the mean distance, added before logarithms
BALANCE_GROUPS = 20
LOG_FILE, STATE_FILE, RESULT_FILE = "log.jsonl", "state.pt", "student.safetensors"


@dataclass(frozen=True)
class Recipe:
    """Numbers of a training run.

    `rate` is the largest, `regression` the weight of that loss against the relation loss, `decay` that of the
    average of weights, `crops` how many of a group a step sees, `emphasis` the weight of the content tap.
    """

    steps: int = 3000
    rate: float = 2e-3
    regression: float = 1.0
    decay: float = 0.998
    seed: int = 0
    save_every: int = 100
    crops: int = 12
    emphasis: float = 2.0


class Student(nn.Module):
    """The network in training, with what is thrown away afterwards: 1 x 1 heads and offsets of distances."""

    def __init__(self, coordinates: dict[str, int]) -> None:
        """Start from orthogonal filters, which keep the variance of what passes through."""
        super().__init__()
        self.network = TinyVGG()
        for name, parameter in self.network.named_parameters():
            if name.endswith("weight"):
                nn.init.orthogonal_(parameter, gain=math.sqrt(2))
            else:
                nn.init.zeros_(parameter)
        self.heads = nn.ModuleDict({tap: nn.Conv2d(WIDTHS[tap], coordinates[tap], 1) for tap in TAPS})
        self.offsets = nn.ParameterDict({tap: nn.Parameter(torch.zeros(len(KINDS))) for tap in TAPS})


@dataclass(frozen=True)
class Scales:
    """Per tap: factor of the teacher's features, floors of its distances, mean square of its coordinates."""

    factor: dict[str, float]
    floors: dict[str, Tensor]
    power: dict[str, float]


def measure_scales(lessons: list[Lesson]) -> Scales:
    """Choose factors so that the entries of the student's Gram matrices have a root mean square of 1.

    The student then imitates the distances of the teacher's features times the factor, and losses on Gram
    matrices, which are means over entries, weigh all taps alike.
    """
    factor, floors, power = {}, {}, {}
    for tap in TAPS:
        distances = torch.stack([lesson.distances[tap] for lesson in lessons])  # (G, 3, N + 1, N + 1)
        squares = distances[:, 0, -1, :-1].mean().item()
        factor[tap] = (WIDTHS[tap] ** 2 / squares) ** 0.25
        floors[tap] = FLOOR * _rescale(distances.mean(dim=(0, 2, 3)), factor[tap])
        means = [lesson.maps[tap].float().square().mean().item() for lesson in lessons]
        power[tap] = factor[tap] ** 2 * sum(means) / len(means)
    return Scales(factor, floors, power)


def train(lessons: list[Lesson], folder: Path, recipe: Recipe, until: int | None = None) -> Path:
    """Train a student, or go on where the last run in `folder` stopped.

    Args:
        lessons: at least one group.
        folder: gets a line of JSON per step, the state to resume from and the weights.
        recipe: what to do.
        until: step to stop before, saved on the way; None for the recipe's last.

    Returns:
        path of the averaged weights, taps balanced, .safetensors.

    Raises:
        InvalidTensor: no lessons, or a loss that is not finite.
    """
    if not lessons:
        raise InvalidTensor("There are no lessons to train on.", fix="Run `prepare` first.")
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(recipe.seed)
    student = Student({tap: maps.shape[1] for tap, maps in lessons[0].maps.items()})
    averaged = {name: tensor.clone() for name, tensor in student.network.state_dict().items()}
    optimizer = torch.optim.Adam(student.parameters(), lr=recipe.rate)
    scales, first = measure_scales(lessons), _restore(folder, student, averaged, optimizer)
    last = until or recipe.steps
    with _open_log(folder / LOG_FILE, first) as log:
        for step in tqdm(range(first, last), desc="steps", mininterval=10):
            rate = _rate(recipe, step)
            for group in optimizer.param_groups:
                group["lr"] = rate
            losses = _step(student, _draw(lessons, recipe, step), scales, recipe, optimizer)
            _average(averaged, student.network, min(recipe.decay, (step + 1) / (step + 10)))
            log.write(json.dumps({"step": step, "rate": round(rate, 6), **losses}) + "\n")
            if (step + 1) % recipe.save_every == 0 or step + 1 == last:
                log.flush()
                _save(folder, student, averaged, optimizer, step=step + 1)
    batches = [lesson.images.float() / 255 for lesson in lessons[:BALANCE_GROUPS]]
    save_student(balance_taps(averaged, batches), folder / RESULT_FILE)
    return folder / RESULT_FILE


def _step(
    student: Student, lesson: Lesson, scales: Scales, recipe: Recipe, optimizer: torch.optim.Optimizer
) -> dict[str, float]:
    taps = student.network(lesson.images.float() / 255)
    parts: dict[str, Tensor] = {}
    for tap, maps in taps.items():
        factor = scales.factor[tap]
        theirs = _rescale(lesson.distances[tap].transpose(0, 2), factor).transpose(0, 2)
        ours = group_distances(maps)
        parts[f"relation_{tap}"] = relation_loss(ours, theirs, scales.floors[tap], student.offsets[tap])
        kept = maps[:, :, :: STRIDES[tap], :: STRIDES[tap]]
        error = F.mse_loss(student.heads[tap](kept), factor * lesson.maps[tap].float())
        parts[f"regression_{tap}"] = error / scales.power[tap]
    loss = torch.stack([part * _weight(name, recipe) for name, part in parts.items()]).sum()
    if not bool(torch.isfinite(loss)):
        raise InvalidTensor("The loss is not finite.", fix="Lower the rate.")
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(student.parameters(), 5.0)
    optimizer.step()
    return {"loss": round(loss.item(), 5), **{name: round(part.item(), 5) for name, part in parts.items()}}


def _weight(name: str, recipe: Recipe) -> float:
    kind, tap = name.split("_")
    weight = recipe.regression if kind == "regression" else 1.0
    return weight * (recipe.emphasis if tap == CONTENT_TAP else 1.0)


def _rescale(distances: Tensor, factor: float) -> Tensor:
    """Turn squared distances, kinds last, into those of features times `factor`: Gram is of fourth order."""
    return distances * torch.tensor([factor**4, factor**2, factor**2])


def _draw(lessons: list[Lesson], recipe: Recipe, step: int) -> Lesson:
    """Pick a group and some of its crops; every epoch is a new permutation, and a step depends on its number alone."""
    epoch, place = divmod(step, len(lessons))
    generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch)
    lesson = lessons[int(torch.randperm(len(lessons), generator=generator)[place])]
    generator.manual_seed(recipe.seed * 1_000_003 + step)
    return choose_crops(lesson, recipe.crops, generator)


def _rate(recipe: Recipe, step: int) -> float:
    """Warm up over 100 steps, then fall along a cosine to a hundredth."""
    warm = min(1.0, (step + 1) / 100)
    return recipe.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * step / recipe.steps)) / 2)


def _average(averaged: dict[str, Tensor], network: nn.Module, decay: float) -> None:
    for name, tensor in network.state_dict().items():
        averaged[name].lerp_(tensor, 1 - decay)


def _open_log(path: Path, steps: int) -> TextIO:
    """Open the log to append, less the lines of steps that were not saved before a run stopped."""
    lines = path.read_text().splitlines(keepends=True)[:steps] if path.exists() else []
    path.write_text("".join(lines))
    return path.open("a")


def _save(
    folder: Path,
    student: Student,
    averaged: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    *,
    step: int,
) -> None:
    state = {
        "step": step,
        "student": student.state_dict(),
        "averaged": averaged,
        "optimizer": optimizer.state_dict(),
    }
    temporary = folder / f"{STATE_FILE}.tmp"
    torch.save(state, temporary)
    temporary.rename(folder / STATE_FILE)


def _restore(
    folder: Path, student: Student, averaged: dict[str, Tensor], optimizer: torch.optim.Optimizer
) -> int:
    if not (folder / STATE_FILE).exists():
        return 0
    state = torch.load(folder / STATE_FILE, weights_only=True)
    student.load_state_dict(state["student"])
    averaged.update(state["averaged"])
    optimizer.load_state_dict(state["optimizer"])
    return int(state["step"])
