"""The table of baselines/README.md, and the recorded report that it is made from."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from baselines.evaluation import Score
from baselines.record import read_record
from baselines.registry import BASELINES
from baselines.strips import STRIPS
from evaluation.files import write_atomic

README = Path(__file__).with_name("README.md")
REPORT = Path(__file__).with_name("report.json")
_START, _END = "<!-- table -->\n", "<!-- end of table -->"


def write_readme(scores: Sequence[Score]) -> None:
    """Keep the scores as report.json, those of other baselines as they are, and renew the table of the README."""
    found = {score.name: score for score in (*read_report(), *scores)}
    rows = [asdict(found[name]) for name in BASELINES if name in found]
    write_atomic(REPORT, (json.dumps(rows, indent=1) + "\n").encode())
    write_atomic(README, insert_table(README.read_text(encoding="utf-8")).encode())


def read_report() -> list[Score]:
    """Return the recorded scores, one per baseline; nothing where none were recorded."""
    rows = json.loads(REPORT.read_text(encoding="utf-8")) if REPORT.exists() else []
    return [Score(**row) for row in rows]


def insert_table(text: str) -> str:
    """Return the README with the table of the recorded scores between its two marks."""
    before, _, rest = text.partition(_START)
    _, _, after = rest.partition(_END)
    return f"{before}{_START}{render_table()}{_END}{after}"


def render_table() -> str:
    """Return the table as Markdown, best headline first."""
    head = (
        "| method | headline | 95 % interval | content | style | parameters | training | s / image | MB |\n"
    )
    lines = [_line(score) for score in sorted(read_report(), key=lambda score: -score.headline)]
    return head + "|---|---|---|---|---|---|---|---|---|\n" + "".join(lines) + _cultures() + _samples()


def _cultures() -> str:
    """Return the headlines by culture of the style image; nothing where none were recorded."""
    scores = [score for score in sorted(read_report(), key=lambda score: -score.headline) if score.by_culture]
    if not scores:
        return ""
    names = sorted(scores[0].by_culture)
    lines = [
        f"| {BASELINES[score.name].title} | {' | '.join(f'{score.by_culture[name]:.2f}' for name in names)} |\n"
        for score in scores
    ]
    head = f"\n| headline by culture | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}\n"
    return head + "".join(lines)


def _samples() -> str:
    """Return the samples, a line of pictures for each method that has them, below contents and styles."""
    names = ["content", "style", *(score.name for score in read_report())]
    shown = [name for name in names if (STRIPS / f"{name}.jpg").exists()]
    lines = [f"| {name} | ![{name}](strips/{name}.jpg) |\n" for name in shown]
    return "\n| | samples |\n|---|---|\n" + "".join(lines) if shown else ""


def _line(score: Score) -> str:
    baseline = BASELINES[score.name]
    training = "–"
    if baseline.kind == "learned" and baseline.is_ready:
        record = read_record(baseline.record)
        training = f"{record.seconds / 60:.0f} min, {record.device}"
    interval = "–" if score.headline_ci is None else "{:.3f} to {:.3f}".format(*score.headline_ci)
    memory = "–" if score.peak_memory_mb is None else f"{score.peak_memory_mb:.0f}"
    return (
        f"| [{baseline.title}](cards/{baseline.name}.md) | {score.headline:.3f} | {interval} | {score.content:.3f} | "
        f"{score.style:.3f} | {score.parameters:,} | {training} | {score.seconds_per_image:.2f} | {memory} |\n"
    )
