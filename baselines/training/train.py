"""Train one generator: read pictures, take steps, write log, samples, checkpoints, and weights at the end."""

import hashlib
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from baselines.baseline import WEIGHTS_FILE, Baseline
from baselines.record import RECORD_FILE, Record
from baselines.training.batches import batches, sample_pairs
from baselines.training.errors import DeviceMissing, OutOfMemory
from baselines.training.features import Features, fit_scale
from baselines.training.log import draw_curves, open_log, write_line, write_samples
from baselines.training.method import Method
from baselines.training.pictures import Pictures
from baselines.training.recipe import Recipe
from baselines.training.run import Run
from evaluation.files import write_atomic

SAMPLES = 6
FITTED = 16  # pictures that the scale of the features is fitted to


@dataclass(frozen=True)
class Plan:
    """Where and how often: nothing here changes the weights."""

    folder: Path
    device: str = "cpu"
    workers: int = 0
    save_every: int = 250
    note: str = ""  # on the pictures, for the card
    report: Callable[[int], object] = lambda step: None  # called with the steps done


def train(
    baseline: Baseline,
    features: Features,
    pictures: tuple[Pictures, Pictures],
    recipe: Recipe,
    plan: Plan,
) -> Record:
    """Train the generator of a baseline, or go on where the last run in the folder stopped.

    Args:
        baseline: a learned one.
        features: on the device of the plan; their scale is fitted here.
        pictures: contents and styles.
        recipe: what decides the weights.
        plan: where to, and how.

    Returns:
        The record that lies beside the weights.

    Raises:
        Diverged, OutOfMemory, OtherRun: the folder keeps its last good checkpoint.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    samples = sample_pairs(*pictures, recipe, SAMPLES)
    fitted = torch.cat(sample_pairs(*pictures, recipe, FITTED))  # (2 * FITTED, 3, S, S)
    features = fit_scale(features, fitted.to(plan.device))
    torch.manual_seed(recipe.seed)
    method = build_method(baseline, features, recipe.size)
    described: dict[str, str | int | bool] = {
        "name": baseline.name,
        "features": features.digest,
        "contents": pictures[0].digest,
        "styles": pictures[1].digest,
        "batch": recipe.batch,
        "size": recipe.size,
        "seed": recipe.seed,
        "bf16": recipe.is_bf16,
    }
    run = Run(method, recipe, described, plan.device)
    run.resume(plan.folder)
    try:
        _steps(run, pictures, samples, plan)
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise OutOfMemory(fix=f"Lower --batch ({recipe.batch}) or --size ({recipe.size}).") from error
        raise
    data = save(run.weights())
    record = _describe(run, features, pictures, plan.note, hashlib.sha256(data).hexdigest())
    write_atomic(plan.folder / WEIGHTS_FILE, data)
    write_atomic(plan.folder / RECORD_FILE, record.to_json().encode())
    return record


def build_method(baseline: Baseline, features: Features, size: int) -> Method:
    """Construct the training method of a baseline with torch's present random state."""
    module, _, name = baseline.method.partition(":")
    method: Method = getattr(import_module(module), name)(features, size)
    return method


def check_device(device: str) -> None:
    """Refuse a device that is not there."""
    if device == "cuda" and not torch.cuda.is_available():
        raise DeviceMissing(fix="Use --device cpu.")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on a GPU or on the CPU."""
    is_named = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return is_named or "can't allocate memory" in str(error)


def _steps(run: Run, pictures: tuple[Pictures, Pictures], samples: tuple[Tensor, Tensor], plan: Plan) -> None:
    drawn = batches(*pictures, run.recipe, first=run.step, device=plan.device, workers=plan.workers)
    with open_log(plan.folder, run.step) as log:
        for batch in drawn:
            started = time.monotonic()
            write_line(log, batch.step, run.take(batch))
            run.seconds += time.monotonic() - started
            if run.step % plan.save_every == 0 or run.step == run.recipe.steps:
                log.flush()
                run.save(plan.folder)
                draw_curves(plan.folder)
                _write_samples(run, samples, plan)
            plan.report(run.step)


def _write_samples(run: Run, samples: tuple[Tensor, Tensor], plan: Plan) -> None:
    with torch.inference_mode():
        content, style = (images.to(plan.device) for images in samples)
        write_samples(plan.folder, content, style, run.averaged(content, style), step=run.step)


def _describe(
    run: Run, features: Features, pictures: tuple[Pictures, Pictures], note: str, sha256: str
) -> Record:
    """Put together the record of a finished run."""
    recipe = run.recipe
    return Record(
        name=str(run.described["name"]),
        sha256=sha256,
        parameters=sum(p.numel() for p in run.averaged.parameters()),
        steps=run.step,
        batch=recipe.batch,
        size=recipe.size,
        seed=recipe.seed,
        is_bf16=recipe.is_bf16,
        seconds=round(run.seconds, 1),
        device=_device_name(run.device),
        threads=torch.get_num_threads(),
        torch=str(torch.__version__),
        features=features.name,
        features_sha256=features.digest,
        contents=len(pictures[0].images),
        contents_sha256=pictures[0].digest,
        styles=len(pictures[1].images),
        styles_sha256=pictures[1].digest,
        note=note,
    )


def _device_name(device: str) -> str:
    """Name the processor of a device."""
    return torch.cuda.get_device_name() if device == "cuda" else f"CPU ({platform.machine()})"
