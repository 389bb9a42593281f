"""Content/style pairs and the dataset folder they live in (`pairs.json` beside the images)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evaluation.errors import InvalidPairs

PAIRS_FILE = "pairs.json"


@dataclass(frozen=True)
class Pair:
    """One content image and one style image; paths are absolute, digests are those of the files."""

    id: str
    content: Path
    style: Path
    content_sha256: str
    style_sha256: str
    split: str
    style_family: str
    culture: str
    content_kind: str


class _PairRow(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    id: str = Field(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")
    content: str
    style: str
    split: Literal["public", "hidden"]
    style_family: str = Field(min_length=1, max_length=64)
    culture: str = Field(min_length=1, max_length=64)
    content_kind: str = Field(min_length=1, max_length=64)


class _PairsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)
    version: Literal[1] = Field(alias="schema")
    size: int = Field(ge=16, le=4096)
    pairs: list[_PairRow] = Field(min_length=1, max_length=100_000)


def read_pairs(folder: Path, split: str | None = None) -> tuple[Pair, ...]:
    """Read the pairs of a dataset folder, all of them or those of one split.

    Raises:
        InvalidPairs: no readable `pairs.json`, an unknown key, a doubled id, an image that is missing, or a
            style image in two cultures.
    """
    file = _parse(folder / PAIRS_FILE)
    ids = [row.id for row in file.pairs]
    if len(set(ids)) != len(ids):
        doubled = sorted({i for i in ids if ids.count(i) > 1})
        raise InvalidPairs(f"Pair ids occur twice: {', '.join(doubled[:5])}.")
    digests: dict[Path, str] = {}
    pairs = tuple(_pair(folder, row, digests) for row in file.pairs if split in (None, row.split))
    _check_cultures(pairs)
    return pairs


def listed_pairs(text: str, name: str) -> list[dict[str, str]]:
    """Parse the text of a pairs file and list its rows as they stand; no image is looked at.

    Raises:
        InvalidPairs: it does not follow the schema.
    """
    return [row.model_dump() for row in _parse_text(text, name).pairs]


def dataset_digest(pairs: Sequence[Pair]) -> str:
    """Return the sha256 over all pair fields and image digests; folder names do not matter."""
    rows = []
    for pair in sorted(pairs, key=lambda p: p.id):
        row = asdict(pair)
        del row["content"], row["style"]
        rows.append(row)
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()


def _parse(path: Path) -> _PairsFile:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidPairs(
            f"{path} cannot be read: {error.strerror}.", fix="Name the folder that holds pairs.json."
        ) from error
    return _parse_text(text, str(path))


def _parse_text(text: str, name: str) -> _PairsFile:
    try:
        return _PairsFile.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidPairs(f"{name}: {where}: {first['msg']}.") from error


def _check_cultures(pairs: Sequence[Pair]) -> None:
    """Refuse a style image in two cultures: means are taken culture by culture."""
    first: dict[str, Pair] = {}
    for pair in pairs:
        known = first.setdefault(pair.style_sha256, pair)
        if known.culture != pair.culture:
            raise InvalidPairs(
                f"Pairs {known.id} and {pair.id} have the same style image, but one says culture "
                f"{known.culture!r} and the other {pair.culture!r}.",
                fix="Give all pairs of a style image the same culture.",
            )


def _pair(folder: Path, row: _PairRow, digests: dict[Path, str]) -> Pair:
    content, style = (_inside(folder, row.id, name) for name in (row.content, row.style))
    for path in (content, style):
        if path not in digests:
            digests[path] = _sha256(path, row.id)
    return Pair(
        id=row.id,
        content=content,
        style=style,
        content_sha256=digests[content],
        style_sha256=digests[style],
        split=row.split,
        style_family=row.style_family,
        culture=row.culture,
        content_kind=row.content_kind,
    )


def _inside(folder: Path, pair_id: str, name: str) -> Path:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts:
        raise InvalidPairs(f"Pair {pair_id}: {name!r} leaves the dataset folder.")
    return folder / relative


def _sha256(path: Path, pair_id: str) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InvalidPairs(f"Pair {pair_id}: {path.name} cannot be read: {error.strerror}.") from error
