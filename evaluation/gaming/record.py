"""The gaming table with all that it depends on: printed as JSON, recorded beside this file, shown in the docs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evaluation.gaming.entries import Kind
from evaluation.gaming.flag import Flag
from evaluation.gaming.table import Row, median_of_real, to_markdown, unflagged_winners
from evaluation.number_text import number_text
from evaluation.pairs import Pair

RECORD_FILE = Path(__file__).with_name("table.json")


@dataclass(frozen=True)
class Record:
    """A gaming table: suites and dataset by digest, what was asked of the command, and the rows."""

    suite_id: str
    suite_digest: str
    audit_id: str
    audit_digest: str
    dataset_digest: str
    n: int
    n_styles: int
    n_contents: int
    contents: int | None
    effort: float
    rows: tuple[Row, ...]

    @property
    def command(self) -> str:
        """Write the command that makes the table again from the dataset in the folder DIR."""
        options = f"--suite {self.suite_id} --audit {self.audit_id} --effort {self.effort:g}"
        few = "" if self.contents is None else f" --contents {self.contents}"
        return f"python -m evaluation.gaming table --pairs DIR {options}{few} --json"

    def to_json(self) -> str:
        """Write everything as JSON, with the command and the names of unflagged winners."""
        found = {"command": self.command, "unflagged_winners": unflagged_winners(self.rows)}
        return json.dumps(found | asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        del fields["command"], fields["unflagged_winners"]
        fields["rows"] = tuple(
            Row(**{**row, "flags": tuple(Flag(**flag) for flag in row["flags"])}) for row in fields["rows"]
        )
        return cls(**fields)


def read_record() -> Record:
    """Read the table that ships with the library."""
    return Record.from_json(RECORD_FILE.read_text(encoding="utf-8"))


def keep_contents(pairs: Sequence[Pair], count: int | None) -> tuple[Pair, ...]:
    """Keep all styles of each split, but only its first content images by digest."""
    kept = {
        (split, content)
        for split in {pair.split for pair in pairs}
        for content in sorted({pair.content_sha256 for pair in pairs if pair.split == split})[:count]
    }
    return tuple(pair for pair in pairs if (pair.split, pair.content_sha256) in kept)


def describe(record: Record) -> str:
    """Write the table as Markdown: how it was made, the rows, who wins, and which honest entries carry a flag."""
    made = (
        f"{record.n} pairs of {record.n_styles} styles and {record.n_contents} contents (dataset digest "
        f"`{record.dataset_digest[:12]}`), under `{record.suite_id}` (digest `{record.suite_digest[:12]}`) with "
        f"`{record.audit_id}` (digest `{record.audit_digest[:12]}`) as audit:"
    )
    return "\n\n".join(
        [
            made,
            f"    {record.command}",
            to_markdown(record.rows),
            _verdict(record.rows),
            "Color transfers and real transfers that raise a flag:",
            "\n".join(_flagged(record.rows)) or "None.",
        ]
    )


def _verdict(rows: Sequence[Row]) -> str:
    bar = median_of_real(rows)
    above = [row for row in rows if row.kind != Kind.REAL and row.headline > bar]
    named = ", ".join(f"`{row.name}`" for row in above) or "none"
    winners = ", ".join(f"`{name}`" for name in unflagged_winners(rows)) or "none"
    return (
        f"The median of the real transfers is {number_text('headline', bar)}. Above it, and no real transfers: "
        f"{named}. Of these without a flag: {winners}."
    )


def _flagged(rows: Sequence[Row]) -> list[str]:
    return [
        f"* `{row.name}`, {flag.code}: {flag.sentence}"
        for row in rows
        if row.kind != Kind.GAMING
        for flag in row.flags
        if flag.is_raised
    ]
