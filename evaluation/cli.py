"""The command line of the evaluation library: `python -m evaluation COMMAND`."""

import sys
from pathlib import Path

import click

from evaluation.errors import EvaluationError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Generate, score and inspect, with the code that the platform itself runs."""


@cli.command()
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(archive: Path, as_json: bool) -> None:
    """Check a submission ARCHIVE as the server does, without executing anything in it."""
    from evaluation.archive_report import print_check

    sys.exit(print_check(archive, as_json=as_json))


@cli.command()
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--pairs", "folder", required=True, type=click.Path(path_type=Path), help="Dataset folder.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the pictures.")
@click.option("--split", type=click.Choice(["public", "hidden"]), help="Only the pairs of this split.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print generation.json instead of a sentence.")
def generate(
    *, archive: Path, folder: Path, out: Path, split: str | None, device: str, as_json: bool
) -> None:
    """Run the generator of ARCHIVE on pairs, as a plain process: only for archives that you trust."""
    from evaluation.generation.commands import run_generate

    run_generate(archive, folder, out, split=split, device=device, as_json=as_json)


@cli.command("demo-data")
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--size", default=256, show_default=True, help="Side of every picture in pixels, 64 to 1024.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the styles.")
def demo_data(folder: Path, size: int, seed: int) -> None:
    """Write the demo dataset to OUT: photographs, procedural styles, pairs and credits, no download."""
    from evaluation.demo.dataset import write_demo_dataset

    pairs = write_demo_dataset(folder, size=size, seed=seed)
    public = sum(pair.split == "public" for pair in pairs)
    click.echo(f"{folder}: {public} public and {len(pairs) - public} hidden pairs of {size} pixels.")


@cli.command()
@click.argument("outputs", type=click.Path(path_type=Path))
@click.option("--pairs", "folder", required=True, type=click.Path(path_type=Path), help="Dataset folder.")
@click.option("--suite", default="sts-demo-1", show_default=True, help="Metric suite; see `suites`.")
@click.option("--split", type=click.Choice(["public", "hidden", "all"]), default="all", show_default=True)
@click.option("--json", "form", flag_value="json", help="Print the report as JSON.")
@click.option("--csv", "form", flag_value="csv", help="Print one line per pair as CSV.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the report, as JSON, to this file.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder that keeps reference features.")
def score(
    *,
    outputs: Path,
    folder: Path,
    suite: str,
    split: str,
    form: str | None,
    out: Path | None,
    cache: Path | None,
) -> None:
    """Score the pictures of the folder OUTPUTS, `<pair id>.png` each, as the platform does."""
    from evaluation.score_command import run_score

    run_score(outputs, folder, suite_id=suite, split=split, form=form or "table", out=out, cache=cache)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print all fields as JSON.")
def suites(as_json: bool) -> None:
    """List the metric suites, after checking that this library can compute them."""
    from evaluation.listings import print_suites

    print_suites(as_json=as_json)


@cli.command()
@click.argument("name", required=False)
def metrics(name: str | None) -> None:
    """List the metrics, or explain the metric NAME: its formula, its source and what it misses."""
    from evaluation.listings import explain_metric, print_metrics

    explain_metric(name) if name else print_metrics()


@cli.command()
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; default: torch decides.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
def scorer(threads: int | None, device: str) -> None:
    """Stay warm and answer JSON lines on standard input; see evaluation/scorer_service.py."""
    from evaluation.scorer_service import serve

    serve(threads=threads, device=device)


@cli.command()
@click.option("--n", type=click.IntRange(min=1), default=24, show_default=True, help="Images to score.")
@click.option("--size", type=click.IntRange(64, 1024), default=256, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(n: int, size: int, threads: int, as_json: bool) -> None:
    """Measure how long scoring takes on generated images, per image and per metric."""
    from evaluation.bench import print_bench

    print_bench(n=n, size=size, threads=threads, as_json=as_json)


def main() -> None:
    """Run the command line of the evaluation library."""
    run(cli)


def run(commands: click.Group) -> None:
    """Run a command line; an expected error is one line on stderr and exit status 2."""
    try:
        commands.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except EvaluationError as error:
        click.echo(f"{error.code}: {error}", err=True)
        sys.exit(2)
