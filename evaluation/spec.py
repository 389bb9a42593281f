"""What a metric and a metric suite are: names, units, directions and versions, without any computing."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from evaluation.errors import InvalidSuite

SUITES_DIR = Path(__file__).parent / "suites"


class Direction(StrEnum):
    """Which way a metric improves."""

    LOWER = "lower"
    HIGHER = "higher"


class Family(StrEnum):
    """What a metric looks at."""

    CONTENT = "content"
    STYLE = "style"
    PERCEPTUAL = "perceptual"
    COLOUR = "colour"
    EFFICIENCY = "efficiency"
    HEADLINE = "headline"


@dataclass(frozen=True)
class MetricSpec:
    """One number that is computed for each stylized image.

    `minimum` and `maximum` are the ends of the range (None: unbounded); `misses` says in one sentence
    what the metric cannot see; `source` names authors, year and equation. `is_squared` marks a squared
    distance, whose root is taken when it is anchored.
    """

    name: str
    title: str
    family: Family
    direction: Direction
    unit: str
    minimum: float | None
    maximum: float | None
    source: str
    misses: str
    is_squared: bool = False


@dataclass(frozen=True)
class MetricSuite:
    """An immutable version of how stylized images become a score.

    Scores of two suites, or of two backbones, are never compared: `digest` covers every field.
    `content_parts` and `style_parts` are the metrics whose anchored scores are averaged into C and S;
    `columns` are the further metrics shown; `size` is the side in pixels that every image must have.
    """

    name: str
    version: int
    title: str
    size: int
    backbone: str
    backbone_digest: str
    content_parts: tuple[str, ...]
    style_parts: tuple[str, ...]
    columns: tuple[str, ...]
    style_weight: float = 0.5
    jitters: tuple[str, ...] = ("identity",)
    max_invalid_share: float = 0.01
    is_demo: bool = False
    notes: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return name and version in one word, e.g. ``sts-demo-1``."""
        return f"{self.name}-{self.version}"

    @property
    def digest(self) -> str:
        """Return the sha256 of the canonical JSON form."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Write the canonical JSON form: sorted keys, no spaces."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))


def load_suite(suite_id: str) -> MetricSuite:
    """Read a suite that ships with the library by its id.

    Raises:
        InvalidSuite: no such suite, or its file does not follow the schema.
    """
    path = SUITES_DIR / f"{suite_id}.json"
    if suite_id not in suite_ids():
        known = ", ".join(suite_ids())
        raise InvalidSuite(f"There is no metric suite {suite_id!r}.", fix=f"Known suites: {known}.")
    return parse_suite(path.read_text(encoding="utf-8"))


def suite_ids() -> list[str]:
    """List the ids of the suites that ship with the library."""
    return sorted(path.stem for path in SUITES_DIR.glob("*.json"))


def parse_suite(text: str) -> MetricSuite:
    """Parse the JSON form of a suite.

    Raises:
        InvalidSuite: not JSON, or fields are missing, unknown or of the wrong type.
    """
    try:
        fields = json.loads(text)
        for key in ("content_parts", "style_parts", "columns", "jitters"):
            if key in fields:
                fields[key] = tuple(fields[key])
        return MetricSuite(**fields)
    except (TypeError, ValueError) as error:
        raise InvalidSuite(f"The suite file cannot be read: {error}.") from error
