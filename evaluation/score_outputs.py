"""Score a folder of stylized images, `<pair id>.png` each, and say what is missing, extra or refused."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import InvalidImage
from evaluation.generation.generate import GENERATION_FILE
from evaluation.images import read_rgb
from evaluation.output_sets import Collected
from evaluation.report import PairScore, Report
from evaluation.scoring import Output, Scorer


@dataclass(frozen=True)
class ScoredFolder:
    """The report of a folder; `missing` are pair ids, `extra` file names, `refused` maps pair ids to reasons."""

    report: Report
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    refused: dict[str, str]


def score_folder(scorer: Scorer, folder: Path, progress: Callable[[int, int], None]) -> ScoredFolder:
    """Score every picture of a folder that answers a pair of the scorer.

    Args:
        scorer: suite and pairs.
        folder: holds `<pair id>.png`, and `generation.json` if the seconds per image are known.
        progress: called with pictures done and pictures in all.

    Raises:
        InvalidImage: the folder cannot be listed, or holds no PNG file.
    """
    names = _list_pictures(folder)
    if not names:
        raise InvalidImage(f"{folder} holds no PNG file.", fix="Name the folder that holds <pair id>.png.")
    seconds = _read_seconds(folder / GENERATION_FILE)
    answered = [pair.id for pair in scorer.pairs if f"{pair.id}.png" in names]
    collected: Collected = {}
    scores: list[PairScore] = []
    for batch in _batches(answered, scorer.batch):
        scores += _score(scorer, folder, {pair_id: seconds.get(pair_id) for pair_id in batch}, collected)
        progress(len(scores), len(answered))
    known = {f"{pair.id}.png" for pair in scorer.pairs}
    return ScoredFolder(
        report=scorer.build_report(scores, collected),
        missing=tuple(pair.id for pair in scorer.pairs if f"{pair.id}.png" not in names),
        extra=tuple(sorted(names - known)),
        refused={score.pair_id: score.invalid for score in scores if score.invalid},
    )


def _score(
    scorer: Scorer, folder: Path, seconds: dict[str, float | None], collected: Collected
) -> list[PairScore]:
    refused: list[PairScore] = []
    outputs: list[Output] = []
    for pair_id, spent in seconds.items():
        try:
            outputs.append((pair_id, read_rgb(folder / f"{pair_id}.png", size=scorer.suite.size), spent))
        except InvalidImage as error:
            refused.append(PairScore(pair_id, {}, invalid=error.message, seconds=spent))
    return refused + scorer.score_pairs(outputs, collected)


def _batches(names: list[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(names), size):
        yield names[start : start + size]


def _list_pictures(folder: Path) -> set[str]:
    try:
        return {path.name for path in folder.iterdir() if path.suffix.lower() == ".png"}
    except OSError as error:
        raise InvalidImage(
            f"{folder} cannot be listed: {error.strerror}.", fix="Name the folder that holds <pair id>.png."
        ) from error


def _read_seconds(file: Path) -> dict[str, float]:
    """Return the seconds per pair that the generation noted down; a foreign file tells nothing."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))["pairs"]
        return {str(row["id"]): max(0.0, float(row["seconds"])) for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
