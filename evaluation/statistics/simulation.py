"""Check intervals, ranks and groups on simulated boards: `python -m evaluation.statistics.simulation`."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import click
import numpy as np

from evaluation.spec import Direction
from evaluation.statistics.bootstrap import bootstrap_means, percentile_interval, rank_intervals
from evaluation.statistics.design import Design
from evaluation.statistics.groups import group_entries
from evaluation.statistics.sign_flip import sign_flip_test


@dataclass(frozen=True)
class Effects:
    """Standard deviations of what makes up the headline of one pair.

    The shares of the variance follow two measured studies of 16 and 21 generators: generator a third, style a
    fifth, content a twentieth; the mean difference of two generators has a deviation of .12 over styles.
    """

    entry: float = 0.115
    culture: float = 0.03
    style: float = 0.09
    content: float = 0.045
    entry_style: float = 0.08
    entry_content: float = 0.03
    residual: float = 0.095


@dataclass(frozen=True)
class Scenario:
    """A kind of board: the styles of each culture, how many contents there are and each style meets."""

    name: str
    culture_sizes: tuple[int, ...]
    n_contents: int = 20
    contents_per_style: int = 20
    n_entries: int = 10
    effects: Effects = Effects()


@dataclass(frozen=True)
class Coverage:
    """Shares of simulated boards on which a statement was true.

    `mean`, `difference` and `rank` are coverages of 95 % intervals, over entries and over neighbors in the
    order of entry; `equal_share` is how often two equal entries shared a group, `false_p` how often the
    sign-flip test alone gave them p <= .05 (None: no test). `groups` is the mean number of groups.
    """

    scenario: str
    n_boards: int
    mean: float
    difference: float
    rank: float
    equal_share: float
    false_p: float | None
    groups: float

    @property
    def is_sound(self) -> bool:
        """Tell whether intervals of means cover 92 to 98 %, ranks at least 93 % and groups at least 95 %."""
        return 0.92 <= self.mean <= 0.98 and self.rank >= 0.93 and self.equal_share >= 0.95


SCENARIOS = (
    Scenario("crossed: 5 cultures of 8 styles", (8,) * 5),
    Scenario("close field: merits with a deviation of .015", (8,) * 5, effects=Effects(entry=0.015)),
    Scenario("incomplete: each style meets 8 of 20 contents", (8,) * 5, contents_per_style=8),
    Scenario("pairs: 20 cultures of 2 styles", (2,) * 20),
    Scenario("singles: 4 cultures of 6 styles, 16 of one", (6,) * 4 + (1,) * 16),
    Scenario("lone: a culture of one style beside 4 large ones", (10, 10, 10, 9, 1)),
    Scenario("uneven: cultures of 20, 10, 6, 3 and 1 styles", (20, 10, 6, 3, 1)),
    Scenario("small: 2 cultures of 5 styles, 8 contents", (5, 5), n_contents=8, contents_per_style=8),
)


def simulate_board(
    scenario: Scenario, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, Design]:
    """Draw the headlines of one board; the first two entries have the same merit.

    ``H = entry + culture + style + content + entry x style + entry x content + residual``, all normal.

    Returns:
        Values float64 (E, P), true board values float64 (E,), and the design. The truth is the mean over the
        given cultures, each over all styles and contents it could have had. Deviation from a headline: values
        are not cut to 0..1.
    """
    effects, n = scenario.effects, scenario.n_entries
    design = _design(scenario)
    merit = generator.normal(0.45, effects.entry, n)
    merit[:2] = merit[0]
    cultures = generator.normal(0, effects.culture, len(scenario.culture_sizes))
    of_style = generator.normal(0, effects.style, design.n_styles) + cultures[design.culture_of_style]
    of_style = of_style + generator.normal(0, effects.entry_style, (n, design.n_styles))  # (E, S)
    of_content = generator.normal(0, effects.content, design.n_contents)
    of_content = of_content + generator.normal(0, effects.entry_content, (n, design.n_contents))  # (E, C)
    values = merit[:, None] + of_style[:, design.style_of_pair] + of_content[:, design.content_of_pair]
    values += generator.normal(0, effects.residual, values.shape)
    return values, merit + cultures.mean(), design


def measure_coverage(scenario: Scenario, *, boards: int, draws: int, seed: int) -> Coverage:
    """Simulate boards of one scenario and count how often what the statistics say is true."""
    generator = np.random.Generator(np.random.PCG64(seed))
    rows = []
    for number in range(boards):
        values, truth, design = simulate_board(scenario, generator)
        drawn = bootstrap_means(values, design, draws, seed=seed + number)
        groups = group_entries(values, design, drawn, seed=seed + number)
        first = design.style_means(values[:1] - values[1:2])[0]
        p = sign_flip_test(first, design.style_weights, seed=seed + number)
        rows.append(
            (
                _covers(drawn, truth),
                _covers(drawn[:-1] - drawn[1:], truth[:-1] - truth[1:]),
                _covers_ranks(drawn, truth),
                groups.are_shared(0, 1),
                np.nan if p is None else p <= 0.05,
                max(groups.last),
            )
        )
    mean, difference, rank, equal_share, false_p, n_groups = np.array(rows, dtype=np.float64).mean(axis=0)
    return Coverage(
        scenario=scenario.name,
        n_boards=boards,
        mean=float(mean),
        difference=float(difference),
        rank=float(rank),
        equal_share=float(equal_share),
        false_p=None if np.isnan(false_p) else float(false_p),
        groups=float(n_groups),
    )


def _design(scenario: Scenario) -> Design:
    """Join each style with contents in turn, so that every content is met about as often."""
    culture_of_style = [k for k, size in enumerate(scenario.culture_sizes) for _ in range(size)]
    cells = [
        (style, (style * scenario.contents_per_style + step) % scenario.n_contents)
        for style in range(len(culture_of_style))
        for step in range(scenario.contents_per_style)
    ]
    return Design(
        tuple(f"s{style:04}" for style, _ in cells),
        tuple(f"c{content:04}" for _, content in cells),
        tuple(f"k{culture_of_style[style]:04}" for style, _ in cells),
    )


def _covers(drawn: np.ndarray, truth: np.ndarray) -> float:
    low, high = percentile_interval(drawn)
    return float(((low <= truth) & (truth <= high)).mean())


def _covers_ranks(drawn: np.ndarray, truth: np.ndarray) -> float:
    """Count rank intervals that hold a true rank; entries of equal merit hold several."""
    low, high = rank_intervals(drawn, Direction.HIGHER)
    best = 1 + (truth > truth[:, None]).sum(axis=1)
    worst = truth.size - (truth < truth[:, None]).sum(axis=1)
    return float(((low <= worst) & (best <= high)).mean())


def _print(found: Sequence[Coverage]) -> None:
    click.echo(
        f"{'scenario':50s}{'mean':>7s}{'diff.':>7s}{'rank':>7s}{'equal':>7s}{'p<.05':>7s}{'groups':>8s}"
    )
    for row in found:
        shares = (row.mean, row.difference, row.rank, row.equal_share, row.false_p)
        numbers = "".join(f"{'-':>7s}" if share is None else f"{share:7.3f}" for share in shares)
        click.echo(f"{row.scenario:50s}{numbers}{row.groups:8.2f}{'' if row.is_sound else '  out of limits'}")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--boards", type=click.IntRange(min=1), default=500, show_default=True, help="Per scenario.")
@click.option("--draws", type=click.IntRange(min=1), default=2000, show_default=True, help="Per board.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(*, boards: int, draws: int, seed: int, as_json: bool) -> None:
    """Simulate boards with known truth; exit status 1 when an interval, a rank or a group is unsound."""
    found = [measure_coverage(scenario, boards=boards, draws=draws, seed=seed) for scenario in SCENARIOS]
    is_sound = all(row.is_sound for row in found)
    if as_json:
        rows = [asdict(row) | {"is_sound": row.is_sound} for row in found]
        click.echo(
            json.dumps({"draws": draws, "seed": seed, "is_sound": is_sound, "scenarios": rows}, indent=1)
        )
    else:
        _print(found)
    sys.exit(0 if is_sound else 1)


if __name__ == "__main__":
    main()
