"""From files to findings: look at every file of an organizer's folder and report what a dataset of them would be."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from evaluation.errors import InvalidPairs
from evaluation.intake.findings import THIN, Finding, Report
from evaluation.intake.layout import (
    CREDITS_FILE,
    Credit,
    Row,
    is_picture_name,
    read_credits,
    rows_of_file,
    rows_of_folders,
    unused,
)
from evaluation.intake.pictures import Picture, examine
from evaluation.pairs import PAIRS_FILE

PREVIEWS = 24
AXES = ("culture", "style_family", "content_kind")

Take = Callable[[Picture], None]


@dataclass(frozen=True)
class Survey:
    """The report, the pairs that are good, the credits by file name, and small pictures by file name."""

    report: Report
    rows: tuple[Row, ...]
    credits: Mapping[str, Credit]
    thumbnails: Mapping[str, bytes]


@dataclass
class _Seen:
    """What is gathered while the files go by."""

    n_files: int = 0
    usable: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    thumbnails: dict[str, bytes] = field(default_factory=dict)


def survey(files: Iterable[tuple[str, bytes]], size: int, take: Take = lambda picture: None) -> Survey:
    """Examine files, given as names with their content, for a dataset of `size` pixels.

    The same files in the same order give the same survey. `take` gets each usable picture as it comes, so that
    none of them has to be kept here.
    """
    seen = _look(files, size, take)
    rows, found = _rows(seen)
    rows, dropped = _without_bad(rows, seen.usable)
    seen.findings += found + dropped + _duplicates(seen.usable)
    credits = _credits(seen)
    slices = _slices(rows)
    seen.findings += _unused(seen, rows) + _licenses(seen.usable, rows, credits) + _thin(slices)
    seen.findings += _splits(rows, seen.usable) if not found else []
    shown = [name for name in sorted({row[side] for row in rows for side in ("content", "style")})]
    report = Report(
        size=size,
        n_files=seen.n_files,
        n_usable=len(seen.usable),
        n_public=sum(row["split"] == "public" for row in rows),
        n_hidden=sum(row["split"] == "hidden" for row in rows),
        findings=tuple(seen.findings),
        slices=slices,
        previews=tuple(_spread(shown)),
    )
    return Survey(report, tuple(rows), credits, seen.thumbnails)


def _look(files: Iterable[tuple[str, bytes]], size: int, take: Take) -> _Seen:
    seen = _Seen()
    for name, data in files:
        if not is_picture_name(name):
            if name in (PAIRS_FILE, CREDITS_FILE):
                seen.texts[name] = data
            continue
        seen.n_files += 1
        picture = examine(name, data, size)
        seen.findings += picture.findings
        if picture.thumbnail:
            seen.thumbnails[name] = picture.thumbnail
        if picture.png:
            seen.usable[name] = picture.sha256
            take(picture)
        else:
            seen.refused.add(name)
    return seen


def _rows(seen: _Seen) -> tuple[list[Row], list[Finding]]:
    if PAIRS_FILE not in seen.texts:
        return rows_of_folders(seen.usable)
    try:
        return rows_of_file(seen.texts[PAIRS_FILE].decode("utf-8")), []
    except (InvalidPairs, UnicodeDecodeError) as error:
        return [], [Finding("BAD_PAIRS_FILE", PAIRS_FILE, str(error)[:300])]


def _without_bad(rows: Sequence[Row], usable: Mapping[str, str]) -> tuple[list[Row], list[Finding]]:
    """Leave out pairs whose pictures are missing, and those that show what an earlier pair shows."""
    kept: list[Row] = []
    found: list[Finding] = []
    pairs: set[tuple[str, str]] = set()
    for row in rows:
        missing = [row[side] for side in ("content", "style") if row[side] not in usable]
        if missing:
            found.append(Finding("MISSING_FILE", row["id"], ", ".join(missing)))
            continue
        key = (usable[row["content"]], usable[row["style"]])
        if key in pairs:
            found.append(Finding("DOUBLE_PAIR", row["id"], f"{row['content']} × {row['style']}"))
            continue
        pairs.add(key)
        kept.append(row)
    return kept, found


def _duplicates(usable: Mapping[str, str]) -> list[Finding]:
    first: dict[str, str] = {}
    return [
        Finding("DUPLICATE", name, first[digest])
        for name, digest in usable.items()
        if first.setdefault(digest, name) != name
    ]


def _splits(rows: Sequence[Row], usable: Mapping[str, str]) -> list[Finding]:
    """Say where there is no pair, or no hidden one, and which hidden pictures are public too."""
    if not rows:
        return [Finding("NO_PAIRS", "")]
    shown: dict[str, set[str]] = {"public": set(), "hidden": set()}
    for row in rows:
        shown[row["split"]] |= {row["content"], row["style"]}
    if not shown["hidden"]:
        return [Finding("NO_HIDDEN_PAIRS", "")]
    known = {usable[name] for name in shown["public"]}
    return [Finding("KNOWN_HIDDEN", name) for name in sorted(shown["hidden"]) if usable[name] in known]


def _slices(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    hidden = [row for row in rows if row["split"] == "hidden"]
    return {axis: dict(sorted(Counter(row[axis] for row in hidden).items())) for axis in AXES}


def _thin(slices: Mapping[str, Mapping[str, int]]) -> list[Finding]:
    return [
        Finding("SMALL_SLICE", label, f"{axis}: {n}")
        for axis, counted in slices.items()
        for label, n in counted.items()
        if n < THIN
    ]


def _credits(seen: _Seen) -> dict[str, Credit]:
    if CREDITS_FILE not in seen.texts:
        return {}
    found = read_credits(seen.texts[CREDITS_FILE].decode("utf-8", "replace"))
    if found is None:
        seen.findings.append(Finding("BAD_CREDITS", CREDITS_FILE))
    return found or {}


def _licenses(usable: Mapping[str, str], rows: Sequence[Row], credits: Mapping[str, Credit]) -> list[Finding]:
    used = {row[side] for row in rows for side in ("content", "style")}
    named = {name for name, credit in credits.items() if credit.license.strip()}
    return [Finding("NO_LICENSE", name) for name in usable if name in used - named]


def _unused(seen: _Seen, rows: Sequence[Row]) -> list[Finding]:
    if not rows:
        return []
    doubled = {finding.file for finding in seen.findings if finding.code == "DUPLICATE"}
    return [Finding("NOT_USED", name) for name in unused(seen.usable, rows) if name not in doubled]


def _spread(names: Sequence[str]) -> list[str]:
    """Choose pictures from all over the folders."""
    step = max(1, len(names) // PREVIEWS)
    return list(names[::step][:PREVIEWS])
