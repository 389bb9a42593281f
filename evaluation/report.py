"""The result of scoring one generator: a table of per-pair values and the aggregates made from it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq


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
class Report:
    """All per-pair scores of one generator under one suite, with their aggregates.

    `aggregates` maps each metric to its hierarchical mean: over contents, then styles, then cultures.
    """

    suite_id: str
    suite_digest: str
    backbone: str
    backbone_digest: str
    dataset_digest: str
    pairs: tuple[PairScore, ...]
    aggregates: Mapping[str, float]

    @property
    def n_valid(self) -> int:
        """Count the pairs with a valid output."""
        return sum(not pair.invalid for pair in self.pairs)

    def to_json(self) -> str:
        """Write the whole report as JSON, numbers in full precision."""
        return json.dumps(asdict(self) | {"n": len(self.pairs), "n_valid": self.n_valid}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        del fields["n"], fields["n_valid"]
        fields["pairs"] = tuple(PairScore(**pair) for pair in fields["pairs"])
        return cls(**fields)


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
