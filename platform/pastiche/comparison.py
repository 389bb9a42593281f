"""Set two results beside each other: metric by metric, and public pair by public pair."""

from dataclasses import dataclass

from pastiche.errors import Refused
from pastiche.language import say
from pastiche.responses import Scores


@dataclass(frozen=True)
class Difference:
    """One metric of two runs: `difference` is second minus first, None where one has no value.

    `n_larger` of the `n_pairs` public pairs that both have a value for are larger in the second run.
    """

    metric: str
    first: float | None
    second: float | None
    difference: float | None
    n_larger: int
    n_pairs: int


def compare_scores(first: Scores, second: Scores) -> list[Difference]:
    """List the metrics of both runs with their differences.

    Raises:
        Refused: they were scored by different suites, whose numbers do not compare.
    """
    if first.suite != second.suite:
        raise Refused(
            say(
                "One run was scored by {first}, the other by {second}.",
                first=first.suite,
                second=second.suite,
            ),
            fix=say("Compare runs of one suite."),
            code="SUITES_DIFFER",
        )
    names = [name for name in first.scores if name in second.scores]
    return [_difference(name, first, second) for name in names]


def _difference(name: str, first: Scores, second: Scores) -> Difference:
    a, b = first.scores[name].value, second.scores[name].value
    values = {pair.id: pair.values.get(name) for pair in first.pairs}
    both = [
        (before, after)
        for pair in second.pairs
        if (before := values.get(pair.id)) is not None and (after := pair.values.get(name)) is not None
    ]
    larger = sum(after > before for before, after in both)
    return Difference(name, a, b, None if a is None or b is None else b - a, larger, len(both))
