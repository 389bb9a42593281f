"""Compare what two days brought about, bit for bit."""

import json
from collections.abc import Iterator, Mapping, Sequence

Row = Mapping[str, object]
Outcome = Mapping[str, Sequence[Row]]


def differences(found: Outcome, expected: Outcome) -> Iterator[str]:
    """Yield a sentence for each submission that is missing in a table, is one too many, or differs in any bit."""
    for table in sorted({*found, *expected}):
        rows, others = (_by_submission(outcome.get(table, ())) for outcome in (found, expected))
        for submission in sorted({*rows, *others}):
            if submission not in others:
                yield f"{table}: {submission} is one too many"
            elif submission not in rows:
                yield f"{table}: {submission} is missing"
            else:
                yield from (
                    f"{table}, {submission}: {said}"
                    for said in _unequal(rows[submission], others[submission])
                )


def _by_submission(rows: Sequence[Row]) -> dict[str, Row]:
    return {str(row["submission"]): row for row in rows}


def _unequal(row: Row, other: Row) -> Iterator[str]:
    for name in sorted({*row, *other}):
        ours, theirs = _text(row.get(name)), _text(other.get(name))
        if ours != theirs:
            yield f"{name} {ours} instead of {theirs}"


def _text(value: object) -> str:
    """Write a value so that equal texts mean equal bits: a number's text is the shortest that reads back as it."""
    return json.dumps(value, sort_keys=True)
