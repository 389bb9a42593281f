"""What a person watches while a generator learns: a line of JSON per step, curves, and sample pictures."""

import io
import json
import math
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torchvision.utils import make_grid

from evaluation.files import write_atomic
from evaluation.images import encode_png, to_uint8

LOG_FILE = "log.jsonl"
CURVES_FILE = "curves.png"
SAMPLES_FILE = "samples.png"

_WIDTH, _HEIGHT, _MARGIN = 900, 480, 60
_POINTS = 200  # of a curve; each is the mean of the steps that fall on it
_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")


def open_log(folder: Path, steps: int) -> TextIO:
    """Open the log to append, less the lines of steps that were not saved before the run stopped."""
    path = folder / LOG_FILE
    lines = path.read_text().splitlines(keepends=True)[:steps] if path.exists() else []
    write_atomic(path, "".join(lines).encode())
    return path.open("a")


def write_line(log: TextIO, step: int, losses: dict[str, float]) -> None:
    """Write the losses of one step."""
    log.write(json.dumps({"step": step, **{name: float(f"{v:.6g}") for name, v in losses.items()}}) + "\n")


def draw_curves(folder: Path) -> None:
    """Draw every loss of the log over its steps, on a logarithmic scale."""
    rows = [json.loads(line) for line in (folder / LOG_FILE).read_text().splitlines()]
    if not rows:
        return
    names = [name for name in rows[0] if name != "step"]
    curves = {name: _smooth([row[name] for row in rows]) for name in names}
    levels = [math.log10(v) for curve in curves.values() for v in curve if v > 0]
    low, high = (min(levels, default=0.0), max(levels, default=1.0))
    image = Image.new("RGB", (_WIDTH, _HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    _draw_frame(draw, low, high, len(rows))
    for number, (name, curve) in enumerate(curves.items()):
        color = _COLORS[number % len(_COLORS)]
        points = [
            (_MARGIN + k / max(1, len(curve) - 1) * (_WIDTH - 2 * _MARGIN), _place(v, low, high))
            for k, v in enumerate(curve)
            if v > 0
        ]
        draw.line(points, fill=color, width=2)
        draw.text((_WIDTH - 2.5 * _MARGIN, _MARGIN + 14 * number), name, fill=color)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    write_atomic(folder / CURVES_FILE, buffer.getvalue())


def write_samples(folder: Path, content: Tensor, style: Tensor, stylized: Tensor, *, step: int) -> None:
    """Write a grid, contents above styles above stylized images, as samples.png and under its step.

    Args:
        folder: of the run.
        content: float32 (N, 3, S, S) in [0, 1].
        style: the same.
        stylized: the same, clipped.
        step: steps behind it.
    """
    rows = torch.cat([content.cpu(), style.cpu(), stylized.cpu().float().clamp(0, 1)])  # (3N, 3, S, S)
    grid = make_grid(rows, nrow=len(content), padding=2, pad_value=1.0)  # (3, H, W)
    data = encode_png(to_uint8(grid.permute(1, 2, 0).numpy()))
    (folder / "samples").mkdir(exist_ok=True)
    write_atomic(folder / "samples" / f"step-{step:06}.png", data)
    write_atomic(folder / SAMPLES_FILE, data)


def _smooth(values: list[float]) -> list[float]:
    parts = np.array_split(np.array(values, dtype=np.float64), min(_POINTS, len(values)))
    return [float(part.mean()) for part in parts]


def _place(value: float, low: float, high: float) -> float:
    share = (math.log10(value) - low) / max(high - low, 1e-9)
    return _HEIGHT - _MARGIN - share * (_HEIGHT - 2 * _MARGIN)


def _draw_frame(draw: ImageDraw.ImageDraw, low: float, high: float, steps: int) -> None:
    draw.rectangle((_MARGIN, _MARGIN, _WIDTH - _MARGIN, _HEIGHT - _MARGIN), outline="#cccccc")
    draw.text((8, _MARGIN - 6), f"{10**high:.2g}", fill="black")
    draw.text((8, _HEIGHT - _MARGIN - 6), f"{10**low:.2g}", fill="black")
    draw.text((_WIDTH - 2 * _MARGIN, _HEIGHT - _MARGIN + 8), f"{steps} steps", fill="black")
