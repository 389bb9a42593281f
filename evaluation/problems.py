"""What was wrong with a folder of outputs: one named problem for each file that was not scored."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from evaluation.errors import InvalidImage

MISSING, UNKNOWN, REFUSED = "MISSING_OUTPUT", "UNKNOWN_OUTPUT", InvalidImage.code


@dataclass(frozen=True)
class Problem:
    """One file that was not scored: the code of the problem, the file's name, what was expected and found."""

    code: str
    file: str
    message: str


def list_problems(
    *,
    missing: Iterable[str],
    extra: Iterable[str],
    refused: Mapping[str, str],
    size: int,
    elsewhere: Set[str] = frozenset(),
) -> tuple[Problem, ...]:
    """List missing files, then refused ones, then those that answer no pair of the dataset.

    Args:
        missing: ids of pairs without a file.
        extra: names of files that answer no pair that is scored.
        refused: pair id to the reason why its file was refused.
        size: the side in pixels that outputs must have.
        elsewhere: ids of pairs of the dataset that are not scored now; their files are no problem.
    """
    absent = tuple(missing)
    return (
        *(Problem(MISSING, f"{pair_id}.png", _expected(size)) for pair_id in absent),
        *(Problem(REFUSED, f"{pair_id}.png", reason) for pair_id, reason in refused.items()),
        *(
            Problem(UNKNOWN, name, _why_unknown(name))
            for name in extra
            if name.removesuffix(".png") not in elsewhere
        ),
    )


def problem_lines(problems: Sequence[Problem], limit: int = 10) -> list[str]:
    """Write problems for a terminal, at most `limit` lines of each code."""
    lines = []
    for code in (MISSING, REFUSED, UNKNOWN):
        found = [problem for problem in problems if problem.code == code]
        lines += [f"{code}: {problem.file}: {problem.message}" for problem in found[:limit]]
        if len(found) > limit:
            lines.append(f"{code}: and {len(found) - limit} more.")
    return lines


def _expected(size: int) -> str:
    return f"There is no such file; expected an 8-bit RGB PNG of {size} x {size} pixels."


def _why_unknown(name: str) -> str:
    if not name.endswith(".png"):
        return "Not scored: expected is exactly <pair id>.png, in lower case."
    return "Not scored: no pair of this dataset has this id."
