"""The command `conformance`: fixed pictures, scored here and compared with what the library expects."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

import click

from evaluation.conformance_pictures import (
    Vector,
    as_picture,
    content_pictures,
    draw_vectors,
    pictures_digest,
    style_pictures,
)
from evaluation.errors import InvalidSuite
from evaluation.files import write_atomic
from evaluation.images import write_png
from evaluation.pairs import Pair
from evaluation.scoring import Scorer
from evaluation.spec import MetricSuite, load_suite

LIMIT = 1e-4  # of a difference of H, which runs from 0 to 1
EXPECTED_FILE = Path(__file__).with_name("conformance.json")
_NAMES = ("headline", "content", "style")

Values = dict[str, dict[str, float]]  # vector -> headline, content, style


class _Entry(TypedDict):
    """What is stored of one suite."""

    suite_digest: str
    pictures: str
    vectors: Values


@dataclass(frozen=True)
class Conformance:
    """How far a machine is from the expected values; `differences` are those of H, by vector."""

    suite_id: str
    device: str
    differences: dict[str, float]

    @property
    def worst(self) -> tuple[str, float]:
        """Return the vector that is furthest off, and by how much."""
        return max(self.differences.items(), key=lambda item: item[1])

    @property
    def agrees(self) -> bool:
        """Tell whether every vector is within the limit."""
        return self.worst[1] <= LIMIT


def run_conformance(
    suite_id: str,
    *,
    device: str = "cpu",
    weights: Path | None = None,
    as_json: bool = False,
    write: bool = False,
    file: Path = EXPECTED_FILE,
) -> int:
    """Score the fixed pictures and print how far they are from the values that `file` expects, or write these.

    Returns:
        The exit status: 0 when the machine agrees, 1 when it does not.

    Raises:
        InvalidSuite: unknown suite, or no expected values for this version of it.
        WeightsMissing, WeightsCorrupt: a weight file is not there, or is another one.
    """
    suite = load_suite(suite_id)
    if write:
        write_expected(suite, score_vectors(suite, device=device, weights=weights), file)
        click.echo(f"{file.name} now holds the values of {suite.id} on this machine.")
        return 0
    expected = read_expected(suite, file)
    found = compare_values(suite, expected, score_vectors(suite, device=device, weights=weights), device)
    name, difference = found.worst
    if as_json:
        fields = {"suite": suite.id, "device": device, "limit": LIMIT, "agrees": found.agrees}
        click.echo(json.dumps(fields | {"worst": name, "differences": found.differences}))
    else:
        verdict = "agrees" if found.agrees else "DISAGREES"
        click.echo(
            f"{suite.id} on {device} {verdict}: largest difference of H is {difference:.1e}, at {name!r} "
            f"({len(found.differences)} pictures, limit {LIMIT:.0e})."
        )
    return 0 if found.agrees else 1


def score_vectors(suite: MetricSuite, *, device: str = "cpu", weights: Path | None = None) -> Values:
    """Score the fixed pictures under the parts of a suite: vector to headline, content and style in [0, 1].

    Raises:
        WeightsMissing, WeightsCorrupt: a weight file is not there, or is another one.
    """
    parts = replace(suite, columns=(), set_columns=())  # what H does not rest on needs no network
    vectors = draw_vectors(suite.size)
    with TemporaryDirectory() as folder:
        pairs = _write_pairs(Path(folder), vectors, suite.size)
        scorer = Scorer(parts, pairs, device=device, weights_dir=weights)
        scores = [scorer.score_pair(name, vector.output) for name, vector in vectors.items()]
    return {score.pair_id: {name: score.values[name] for name in _NAMES} for score in scores}


def compare_values(suite: MetricSuite, expected: Values, found: Values, device: str) -> Conformance:
    """Return the absolute differences of H."""
    differences = {
        name: abs(found[name]["headline"] - values["headline"]) for name, values in expected.items()
    }
    return Conformance(suite.id, device, differences)


def read_expected(suite: MetricSuite, file: Path = EXPECTED_FILE) -> Values:
    """Read the expected values of a suite.

    Raises:
        InvalidSuite: there are none, or they belong to another version of the suite or of the pictures.
    """
    fix = "A maintainer adds them with `python -m evaluation conformance --write`."
    entry = _stored(file).get(suite.id)
    if entry is None:
        raise InvalidSuite(f"{file.name} holds no expected values for {suite.id}.", fix=fix)
    if entry["suite_digest"] != suite.digest:
        raise InvalidSuite(f"{file.name} holds values for another version of {suite.id}.", fix=fix)
    if entry["pictures"] != pictures_digest(draw_vectors(suite.size)):
        raise InvalidSuite("The fixed pictures are drawn otherwise than the expected values say.", fix=fix)
    return entry["vectors"]


def write_expected(suite: MetricSuite, values: Values, file: Path = EXPECTED_FILE) -> None:
    """Write the expected values of a suite; those of other suites stay."""
    stored = _stored(file)
    stored[suite.id] = {
        "suite_digest": suite.digest,
        "pictures": pictures_digest(draw_vectors(suite.size)),
        "vectors": values,
    }
    write_atomic(file, (json.dumps(stored, indent=1, sort_keys=True) + "\n").encode())


def _stored(file: Path) -> dict[str, _Entry]:
    if not file.exists():
        return {}
    stored: dict[str, _Entry] = json.loads(file.read_text(encoding="utf-8"))
    return stored


def _write_pairs(folder: Path, vectors: Mapping[str, Vector], side: int) -> list[Pair]:
    """Write the content and style images, and return one pair for each vector, named after it."""
    paths = {}
    for name, picture in (content_pictures(side) | style_pictures(side)).items():
        paths[name] = folder / f"{name}.png"
        write_png(as_picture(picture), paths[name])
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
    return [
        Pair(
            id=name,
            content=paths[vector.content],
            style=paths[vector.style],
            content_sha256=digests[vector.content],
            style_sha256=digests[vector.style],
            split="public",
            style_family=vector.style,
            culture="none",
            content_kind=vector.content,
        )
        for name, vector in vectors.items()
    ]
