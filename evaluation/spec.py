"""What a metric and a metric suite are: names, units, directions and versions, without any computing."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from evaluation.errors import InvalidSuite
from evaluation.signatures import open_signed, shipped_keys

BACKBONE = "backbone"  # the network that a suite names, in contrast to these
LPIPS = "lpips-alex-0.1"
INCEPTION = "inception-2015-12-05"
DISCRIMINATORS = "discriminators"  # a private ensemble, which no suite names
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
    """One number that is computed for each stylized image, or (`is_set_level`) for all of them together.

    `minimum` and `maximum` are the ends of the range (None: unbounded); `misses` says in one sentence
    what the metric cannot see; `source` names authors, year and equation. `is_squared` marks a squared
    distance, whose root is taken when it is anchored. `network` names the network that the metric looks
    through: "" for none, BACKBONE for the one that the suite names.
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
    network: str = ""
    is_set_level: bool = False


@dataclass(frozen=True)
class MetricSuite:
    """An immutable version of how stylized images become a score.

    Scores of two suites, or of two backbones, are never compared: `digest` covers every field.
    `content_parts` and `style_parts` are the metrics whose anchored scores are averaged into C and S;
    `columns` are the further metrics shown, `set_columns` those of all images together; `size` is the side
    in pixels that every image must have. `networks` maps further networks that metrics look through to
    their digests. Every part is averaged over `jitters`; columns are measured on the images as they are.
    `loss_weights` are alpha, beta and gamma of the total loss, which is shown and never ranked.
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
    networks: dict[str, str] = field(default_factory=dict)
    set_columns: tuple[str, ...] = ()
    loss_weights: tuple[float, float, float] = (1.0, 1000.0, 0.0)

    @property
    def id(self) -> str:
        """Return name and version in one word, e.g. ``sts-demo-1``."""
        return f"{self.name}-{self.version}"

    @property
    def digest(self) -> str:
        """Return the sha256 of the canonical JSON form."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """Write the canonical JSON form: sorted keys, no spaces; younger fields only where they are used."""
        fields = {k: v for k, v in asdict(self).items() if k not in _YOUNGER or v != _YOUNGER[k]}
        return json.dumps(fields, sort_keys=True, separators=(",", ":"))


# fields that came after the first suites, with their defaults: written down they would change old digests
_YOUNGER: dict[str, object] = {"networks": {}, "set_columns": (), "loss_weights": (1.0, 1000.0, 0.0)}


def load_suite(suite_id: str) -> MetricSuite:
    """Read a suite that ships with the library by its id, and check its signature.

    Raises:
        InvalidSuite: no such suite, its file was changed, or does not follow the schema.
    """
    path = SUITES_DIR / f"{suite_id}.json"
    if suite_id not in suite_ids():
        known = ", ".join(suite_ids())
        raise InvalidSuite(f"There is no metric suite {suite_id!r}.", fix=f"Known suites: {known}.")
    return read_suite(path, shipped_keys())


def read_suite(path: Path, public_keys: Sequence[bytes]) -> MetricSuite:
    """Read a signed suite file that one of the public keys (PEM) confirms.

    Raises:
        InvalidSuite: it cannot be read, was changed after it was signed, or does not follow the schema.
    """
    try:
        return parse_suite(open_signed(path.read_text(encoding="utf-8"), public_keys))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSuite(f"{path.name} cannot be read: {error}.") from error
    except InvalidSuite as error:
        raise InvalidSuite(f"{path.name}: {error.message}", fix=error.fix) from error


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
        for key in ("content_parts", "style_parts", "columns", "jitters", "set_columns", "loss_weights"):
            if key in fields:
                fields[key] = tuple(fields[key])
        return MetricSuite(**fields)
    except (TypeError, ValueError) as error:
        raise InvalidSuite(f"The suite file cannot be read: {error}.") from error
