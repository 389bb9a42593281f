"""Which pairs a folder stands for: those that pairs.json lists, or contents crossed with styles."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from evaluation.errors import InvalidPairs
from evaluation.intake.findings import Finding
from evaluation.pairs import PAIRS_FILE, listed_pairs

MAX_CROSSED = 5000
CREDITS_FILE = "credits.json"
SPLITS = ("public", "hidden")
UNTAGGED = "unspecified"
PUBLIC_SHARE = 5  # without folders for the splits, every fifth picture is public
_QUIET = ("readme", "license", "licence", "credits", "copying")

Row = Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """Where a picture stands in the layout of folders."""

    name: str
    split: str  # empty where the folders do not say
    role: str
    culture: str
    tag: str


@dataclass(frozen=True)
class Credit:
    """Who made a picture, and under which terms it may be used."""

    title: str
    author: str
    source: str
    license: str


def is_picture_name(name: str) -> bool:
    """Say whether a file is meant as a picture; texts beside the pictures and a Mac's own files are not."""
    path = PurePosixPath(name)
    if path.parts[0] == "__MACOSX" or path.name.startswith("."):
        return False
    return name != PAIRS_FILE and not path.name.lower().startswith(_QUIET)


def place_of(name: str) -> Place | None:
    """Read a place off a path: [public|hidden]/contents/KIND/FILE or [public|hidden]/styles/CULTURE/FAMILY/FILE."""
    parts = list(PurePosixPath(name).parts[:-1])
    split = parts.pop(0) if parts and parts[0] in SPLITS else ""
    role = parts.pop(0) if parts else ""
    if role == "contents" and len(parts) <= 1:
        return Place(name, split, role, "", (parts or [UNTAGGED])[0][:64])
    if role == "styles" and len(parts) <= 2:
        culture, family = [*parts, *[UNTAGGED] * (2 - len(parts))]
        return Place(name, split, role, culture[:64], family[:64])
    return None


def rows_of_file(text: str) -> list[Row]:
    """Read the pairs that pairs.json lists.

    Raises:
        InvalidPairs: it does not follow the schema.
    """
    rows: list[Row] = [*listed_pairs(text, PAIRS_FILE)]
    ids = [row["id"] for row in rows]
    if len(set(ids)) != len(ids):
        raise InvalidPairs("Two pairs have the same id.", fix="Give every pair an id of its own.")
    return rows


def rows_of_folders(usable: Mapping[str, str]) -> tuple[list[Row], list[Finding]]:
    """Cross every content with every style of the same split; `usable` maps names to digests of the pictures."""
    places = [place for name in usable if (place := place_of(name))]
    split_of = _splits(places, usable)
    rows: list[dict[str, str]] = []
    for split in SPLITS:
        own = [place for place in places if split_of[place.name] == split]
        contents = [place for place in own if place.role == "contents"]
        styles = [place for place in own if place.role == "styles"]
        if len(rows) + len(contents) * len(styles) > MAX_CROSSED:
            return [], [Finding("TOO_MANY_PAIRS", split, f"{len(contents)} × {len(styles)} > {MAX_CROSSED}")]
        rows += [
            {
                "content": content.name,
                "style": style.name,
                "split": split,
                "style_family": style.tag,
                "culture": style.culture,
                "content_kind": content.tag,
            }
            for content in contents
            for style in styles
        ]
    # In the order of a digest, so that ids tell nothing about content or style.
    rows.sort(key=lambda row: _mix(usable[row["content"]], usable[row["style"]]))
    return [{"id": f"p{n:04}", **row} for n, row in enumerate(rows, start=1)], []


def read_credits(text: str) -> dict[str, Credit] | None:
    """Read credits.json by file name; None where it cannot be read."""
    try:
        rows = json.loads(text)
        return {
            str(row["file"]): Credit(
                *(str(row.get(key) or "") for key in ("title", "author", "source", "license"))
            )
            for row in rows
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def unused(names: Collection[str], rows: Sequence[Row]) -> list[str]:
    """List the files that no pair names."""
    named = {row[side] for row in rows for side in ("content", "style")}
    return sorted(set(names) - named)


def _splits(places: Sequence[Place], usable: Mapping[str, str]) -> dict[str, str]:
    """Give every place a split: its folder's, or by the order of digests where no folder says."""
    found = {place.name: place.split for place in places}
    for role in ("contents", "styles"):
        open_ones = sorted(
            (place for place in places if place.role == role and not place.split),
            key=lambda place: usable[place.name],
        )
        for number, place in enumerate(open_ones):
            is_public = number % PUBLIC_SHARE == 0 and len(open_ones) > 1
            found[place.name] = "public" if is_public else "hidden"
    return found


def _mix(content: str, style: str) -> str:
    return hashlib.sha256(f"{content} {style}".encode()).hexdigest()
