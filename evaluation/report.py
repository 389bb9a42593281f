"""The result of scoring one generator: a table of per-pair values and the aggregates made from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.errors import InvalidReport


@dataclass(frozen=True)
class PairScore:
    """The values of one stylized image.

    `values` maps metric names (and ``content``, ``style``, ``headline``: anchored, 0..1, higher is
    better) to numbers; it is empty where `invalid` says why there is no valid output.
    """

    pair_id: str
    values: Mapping[str, float]
    invalid: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class PairLabel:
    """Which images a pair joins (sha256) and how it is sliced: what statistics and readers need to know of it."""

    pair_id: str
    split: str
    content: str
    style: str
    culture: str
    style_family: str
    content_kind: str


@dataclass(frozen=True)
class ReportRow:
    """One number of a report: a metric over `n` pairs, with its 95 % interval where there is one.

    `id` names metric, network and the network's digest; `split` is "" where all pairs of the report count.
    """

    metric: str
    id: str
    value: float
    low: float | None
    high: float | None
    n: int
    split: str = ""


@dataclass(frozen=True)
class Report:
    """All per-pair scores of one generator under one suite, with the numbers made from them.

    `rows` holds the hierarchical mean of each metric (over contents, then styles, then cultures), and the
    set-level metrics of each split. `labels` has one entry for each pair, in the order of `pairs`.
    """

    suite_id: str
    suite_digest: str
    backbone: str
    backbone_digest: str
    dataset_digest: str
    pairs: tuple[PairScore, ...]
    rows: tuple[ReportRow, ...]
    labels: tuple[PairLabel, ...]
    is_demo: bool = False

    @property
    def aggregates(self) -> dict[str, float]:
        """Return the value of each metric over all pairs of the report."""
        return {row.metric: row.value for row in self.rows if not row.split}

    @property
    def n_valid(self) -> int:
        """Count the pairs with a valid output."""
        return sum(not pair.invalid for pair in self.pairs)

    def to_json(self) -> str:
        """Write the whole report as JSON, numbers in full precision."""
        counts = {"n": len(self.pairs), "n_valid": self.n_valid}
        return json.dumps(asdict(self) | counts | {"aggregates": self.aggregates}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """Read what `to_json` wrote.

        Raises:
            InvalidReport: something else.
        """
        try:
            fields = json.loads(text)
            del fields["n"], fields["n_valid"], fields["aggregates"]
            fields["pairs"] = tuple(PairScore(**pair) for pair in fields["pairs"])
            fields["labels"] = tuple(PairLabel(**label) for label in fields["labels"])
            fields["rows"] = tuple(ReportRow(**row) for row in fields["rows"])
            return cls(**fields)
        except (TypeError, ValueError, KeyError) as error:
            raise InvalidReport(fix="Make it with `python -m evaluation score OUTPUTS --json`.") from error


def write_pair_scores(pairs: tuple[PairScore, ...], path: Path) -> None:
    """Write per-pair scores as one Parquet file: a column per metric, a row per pair, float64."""
    names = sorted({name for pair in pairs for name in pair.values})
    columns: dict[str, list[object]] = {
        "pair_id": [pair.pair_id for pair in pairs],
        "invalid": [pair.invalid for pair in pairs],
        "pair_seconds": [pair.seconds for pair in pairs],
    }
    schema = [("pair_id", pa.string()), ("invalid", pa.string()), ("pair_seconds", pa.float64())]
    for name in names:
        columns[name] = [pair.values.get(name) for pair in pairs]
        schema.append((name, pa.float64()))
    pq.write_table(pa.table(columns, schema=pa.schema(schema)), path, compression="zstd")


def read_pair_scores(source: Path | BinaryIO) -> tuple[PairScore, ...]:
    """Read what `write_pair_scores` wrote, from a path or an open file."""
    rows = pq.read_table(source).to_pylist()
    fixed = {"pair_id", "invalid", "pair_seconds"}
    return tuple(
        PairScore(
            pair_id=row["pair_id"],
            values={k: v for k, v in row.items() if k not in fixed and v is not None},
            invalid=row["invalid"],
            seconds=row["pair_seconds"],
        )
        for row in rows
    )
