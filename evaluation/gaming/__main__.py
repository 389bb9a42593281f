"""Command line: the gaming table of a dataset."""

import tempfile
from pathlib import Path

import click
import torch

from evaluation.cli import run
from evaluation.errors import InvalidPairs
from evaluation.gaming.entries import Effort, Entry, shipped_entries, stored_entry
from evaluation.gaming.gauges import Gauges
from evaluation.gaming.record import Record, describe, keep_contents
from evaluation.gaming.table import build_rows, unflagged_winners
from evaluation.pairs import dataset_digest, read_pairs
from evaluation.spec import load_suite
from evaluation.statistics.design import design_of


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Look for entries that play the score."""


@cli.command()
@click.option("--pairs", "dataset", required=True, type=click.Path(path_type=Path), help="Dataset folder.")
@click.option("--suite", "suite_id", default="sts-demo-2", show_default=True, help="The official suite.")
@click.option("--audit", "audit_id", default="sts-demo-1", show_default=True, help="The audit suite.")
@click.option(
    "--entry", "stored", multiple=True, metavar="NAME=FOLDER", help="Outputs of one more real transfer."
)
@click.option("--contents", type=click.IntRange(min=2), help="At most so many content images of each split.")
@click.option(
    "--effort", type=click.FloatRange(min=0.01), default=1.0, show_default=True, help="Share of all steps."
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder that keeps all outputs, to go on later.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder that keeps reference features.")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print all figures and flags as JSON.")
def table(
    *,
    dataset: Path,
    suite_id: str,
    audit_id: str,
    stored: tuple[str, ...],
    contents: int | None,
    effort: float,
    out: Path | None,
    cache: Path | None,
    threads: int,
    as_json: bool,
) -> None:
    """Score attempts to play the score beside real transfers; exit status 1 if one wins without a flag."""
    torch.set_num_threads(threads)
    entries = (*shipped_entries(Effort().scaled(effort)), *(_stored(text) for text in stored))
    pairs = keep_contents(read_pairs(dataset), contents)
    suite, audit = load_suite(suite_id), load_suite(audit_id)
    with tempfile.TemporaryDirectory() as scratch:
        rows = build_rows(entries, Gauges(suite, audit, pairs, cache), out or Path(scratch))
    design = design_of(pairs)
    record = Record(
        suite_id=suite.id,
        suite_digest=suite.digest,
        audit_id=audit.id,
        audit_digest=audit.digest,
        dataset_digest=dataset_digest(pairs),
        n=design.n_pairs,
        n_styles=design.n_styles,
        n_contents=design.n_contents,
        contents=contents,
        effort=effort,
        rows=rows,
    )
    click.echo(record.to_json() if as_json else describe(record))
    if unflagged_winners(rows):
        raise SystemExit(1)


def _stored(text: str) -> Entry:
    name, mark, folder = text.partition("=")
    if not (name and mark and folder):
        raise InvalidPairs(f"{text!r} names no outputs.", fix="Write --entry NAME=FOLDER.")
    return stored_entry(name, Path(folder))


if __name__ == "__main__":
    run(cli)
