"""Write the generated parts of docs/metrics.md: `python -m evaluation.metric_docs --write`, `--check`, `--examples`."""

import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path

import click

from evaluation.cli import run
from evaluation.files import write_atomic
from evaluation.gaming.record import describe, read_record
from evaluation.listings import formula_of, metric_ids
from evaluation.metrics.adversarial import adversarial_score, generator_loss
from evaluation.metrics.efficiency import (
    count_macs,
    count_parameters,
    measure_latency,
    measure_peak_memory,
    measure_throughput,
)
from evaluation.metrics.patches import cfsd
from evaluation.metrics.regions import region_gram_loss, region_leakage
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.metrics.sets import kid_subsets, precision_recall
from evaluation.metrics.structure import self_similarity_loss
from evaluation.metrics.temporal import normalized_warp_error, temporal_lpips, warp_error
from evaluation.metrics.traps import TRAPS
from evaluation.number_text import range_text
from evaluation.spec import MetricSpec, MetricSuite, load_suite, suite_ids

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
FURTHER: tuple[Callable[..., object], ...] = (  # documented and tested, in no suite yet
    self_similarity_loss,
    cfsd,
    region_gram_loss,
    region_leakage,
    kid_subsets,
    precision_recall,
    adversarial_score,
    generator_loss,
    warp_error,
    normalized_warp_error,
    temporal_lpips,
    count_parameters,
    count_macs,
    measure_latency,
    measure_throughput,
    measure_peak_memory,
)
_HEADS = {"Args": "Arguments", "Returns": "Result", "Raises": "Refuses"}


@click.command()
@click.option("--write", "action", flag_value="write", help="Bring the page up to date.")
@click.option("--check", "action", flag_value="check", help="Exit status 1 when the page is not up to date.")
@click.option("--examples", "action", flag_value="examples", help="Make pictures and their table again.")
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), default=PAGE, show_default=True)
def main(action: str | None, page: Path) -> None:
    """Keep docs/metrics.md in step with the docstrings, the catalog, the suites and the recorded gaming table."""
    if action is None:
        raise click.UsageError("Choose --write, --check or --examples.")
    text = page.read_text(encoding="utf-8")
    if action == "examples":
        from evaluation.metric_examples import make_examples  # it scores, which takes minutes

        write_atomic(page, replace_part(text, "examples", make_examples(page.parent / "metrics")).encode())
    elif action == "write":
        write_atomic(page, current_page(text).encode())
    elif current_page(text) != text:
        click.echo(
            f"{page.name} is not up to date: run `python -m evaluation.metric_docs --write`.", err=True
        )
        sys.exit(1)


def current_page(text: str) -> str:
    """Return the page with its generated parts made anew, except for the examples."""
    parts = {"suites": suites_text(), "gaming": describe(read_record()), "metrics": metrics_text()}
    for name, part in parts.items():
        text = replace_part(text, name, part)
    return text


def replace_part(page: str, name: str, text: str) -> str:
    """Put `text` between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``.

    Raises:
        ValueError: the page does not hold these two lines once, in this order.
    """
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->\n"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed or begin in rest:
        raise ValueError(f"the page needs {begin.strip()} and {end.strip()}, once each")
    return f"{before}{begin}\n{text.strip()}\n\n{end}{after}"


def suites_text() -> str:
    """Write the table of the suites that ship with the library."""
    rows = ["| suite | pixels | backbone | C is the mean of | S is the mean of | mean over | digest |"]
    rows.append("|---|---|---|---|---|---|---|")
    rows += [_suite_row(load_suite(suite_id)) for suite_id in suite_ids()]
    return "\n".join(rows)


def metrics_text() -> str:
    """Write one section for each metric, and a list of the functions that no suite uses yet."""
    sections = [_section(spec) for spec in METRIC_SPECS.values()]
    further = "\n".join(f"* `{_place(function)}`: {_first_line(function)}" for function in FURTHER)
    intro = "Documented and tested like the others, for tracks that need them:"
    return "\n\n".join([*sections, f"### Functions outside of the suites\n\n{intro}\n\n{further}"])


def docstring_text(doc: str) -> str:
    """Turn a docstring of our form into Markdown: formula, arguments, result, refusals, source."""
    parts = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(doc)):
        head, _, body = paragraph.partition("\n")
        title = _HEADS.get(head.removesuffix(":"), "") if head.endswith(":") else ""
        parts.append(f"**{title}.**{_entries(body)}" if title else _prose(paragraph))
    return "\n\n".join(parts)


def _suite_row(suite: MetricSuite) -> str:
    cells = (
        f"`{suite.id}`" + (" (demo)" if suite.is_demo else ""),
        str(suite.size),
        f"`{suite.backbone}`",
        ", ".join(suite.content_parts),
        ", ".join(suite.style_parts),
        ", ".join(suite.jitters),
        f"`{suite.digest[:12]}`",
    )
    return f"| {' | '.join(cells)} |"


def _section(spec: MetricSpec) -> str:
    kind = "all outputs together" if spec.is_set_level else "each pair"
    lines = [
        f"### {spec.title} (`{spec.name}`)",
        f"{spec.direction.capitalize()} is better. Range {range_text(spec)}. For {kind}. Family: {spec.family}.",
    ]
    formula = formula_of(spec.name)
    if formula is not None:
        lines.append(docstring_text(inspect.getdoc(formula) or ""))
    lines.append(f"**In short.** {spec.source}.")
    lines.append(f"**Misses.** {spec.misses}")
    traps = TRAPS.get(spec.name, ())
    if traps:
        lines.append("**Traps.**\n\n" + "\n".join(f"* {trap}" for trap in traps))
    lines.append(f"**Id.** {_ids_text(spec.name)}.")
    return "\n\n".join(lines)


def _ids_text(name: str) -> str:
    """Write each id of a metric once, with the suites that call it so."""
    suites: dict[str, list[str]] = {}
    for suite_id, cited in metric_ids(name).items():
        suites.setdefault(cited, []).append(f"`{suite_id}`")
    written = [f"`{cited}` under {', '.join(under)}" for cited, under in suites.items()]
    return "; ".join(written) or "In no suite of the library"


def _entries(body: str) -> str:
    """Write `name: text` entries, whose continuations are indented, as a list; a single text as it is."""
    entries: list[str] = []
    for line in inspect.cleandoc(body).splitlines():
        if line.startswith(" ") and entries:
            entries[-1] += f" {line.strip()}"
        else:
            entries.append(line.strip())
    named = [re.fullmatch(r"([\w, ]+): (.+)", entry) for entry in entries]
    if not all(named):
        return f" {_prose(' '.join(entries))}"
    return "\n\n" + "\n".join(f"* `{match[1]}`: {_prose(match[2])}" for match in named if match)


def _prose(text: str) -> str:
    """Join lines and turn double backquotes into single ones."""
    joined = " ".join(line.strip() for line in text.splitlines()).replace("``", "`")
    return re.sub(r"^(Source|Deviation)s?:", r"**\1.**", joined)


def _first_line(function: Callable[..., object]) -> str:
    return _prose((inspect.getdoc(function) or "").partition("\n\n")[0])


def _place(function: Callable[..., object]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


if __name__ == "__main__":
    run(main)
