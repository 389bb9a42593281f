"""The command line of the evaluation library: `python -m evaluation COMMAND`."""

import sys
from pathlib import Path

import click

from evaluation.errors import EvaluationError

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def _three_weights(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, float, float] | None:
    if value is None:
        return None
    try:
        content, style, adversarial = (float(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"{value!r} are not three numbers like 1,1000,0.") from error
    if not all(0 <= weight < float("inf") for weight in (content, style, adversarial)):
        raise click.BadParameter(f"{value!r}: a weight is a finite number that is not negative.")
    return content, style, adversarial


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
@click.option(
    "--suite", default="sts-demo-2", show_default=True, help="Id of a suite, or a signed suite file."
)
@click.option("--trust", multiple=True, type=_FILE, help="Public key (PEM) of somebody who signs suites.")
@click.option("--split", type=click.Choice(["public", "hidden", "all"]), default="all", show_default=True)
@click.option("--json", "form", flag_value="json", help="Print the report as JSON.")
@click.option("--csv", "form", flag_value="csv", help="Print one line per pair as CSV.")
@click.option("--out", type=_FILE, help="Also write the report, as JSON, to this file.")
@click.option("--html", type=_FILE, help="Also write a page with charts and pictures to this file.")
@click.option("--cache", type=_FOLDER, help="Folder that keeps reference features.")
@click.option("--weights", type=_FOLDER, help="Folder of weight files; default: torch's own, for downloads.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; default: torch decides.")
@click.option("--loss-weights", callback=_three_weights, help="Three numbers: weights of the total loss.")
@click.option("--discriminators", type=_FOLDER, help="Private ensemble, for adversarial score and loss.")
def score(
    *,
    outputs: Path,
    folder: Path,
    suite: str,
    trust: tuple[Path, ...],
    split: str,
    form: str | None,
    out: Path | None,
    html: Path | None,
    cache: Path | None,
    weights: Path | None,
    device: str,
    threads: int | None,
    loss_weights: tuple[float, float, float] | None,
    discriminators: Path | None,
) -> None:
    """Score the pictures of the folder OUTPUTS, `<pair id>.png` each, as the platform does.

    The exit status is 2 when a file is missing, refused, or not of the dataset; the report of the others
    is made all the same.
    """
    from evaluation.score_command import ScoreOptions, run_score

    options = ScoreOptions(
        suite=suite,
        trust=trust,
        split=split,
        form=form or "table",
        out=out,
        html=html,
        cache=cache,
        weights=weights,
        device=device,
        threads=threads,
        loss_weights=loss_weights,
        discriminators=discriminators,
    )
    sys.exit(run_score(outputs, folder, options))


@cli.command()
@click.argument("first", metavar="A.json", type=_FILE)
@click.argument("second", metavar="B.json", type=_FILE)
@click.option("--metric", default="headline", show_default=True, help="What to compare; see `metrics`.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compare(first: Path, second: Path, metric: str, as_json: bool) -> None:
    """Compare two reports of `score --out` on the same pairs: difference, interval, p, wins and losses."""
    from evaluation.compare_command import run_compare

    run_compare((first, second), metric, as_json=as_json)


@cli.command()
@click.option("--suite", default="sts-demo-2", show_default=True, help="Id of a suite.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--weights", type=_FOLDER, help="Folder of weight files; default: torch's own, for downloads.")
@click.option(
    "--write", is_flag=True, help="For maintainers: make what this machine finds the expected values."
)
def conformance(suite: str, as_json: bool, device: str, weights: Path | None, write: bool) -> None:
    """Check that this machine scores fixed pictures as all others do, within 0.0001 of H; exit status 0 or 1."""
    from evaluation.conformance import run_conformance

    sys.exit(run_conformance(suite, device=device, weights=weights, as_json=as_json, write=write))


@cli.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print all fields as JSON.")
@click.pass_context
def suites(context: click.Context, as_json: bool) -> None:
    """List the metric suites, after checking that this library can compute them."""
    from evaluation.listings import print_suites

    if context.invoked_subcommand is None:
        print_suites(as_json=as_json)


@suites.command("verify")
@click.argument("file", required=False, type=_FILE)
@click.option("--trust", multiple=True, type=_FILE, help="Public key (PEM) of somebody who signs suites.")
def verify_suite(file: Path | None, trust: tuple[Path, ...]) -> None:
    """Check signature and content of the suite FILE, or of all suites of this library."""
    from evaluation.suites_command import verify_suites

    verify_suites(file, trust)


@suites.command("new-key")
@click.argument("name", type=_FILE)
def new_key(name: Path) -> None:
    """Make a key pair for signing suites: NAME.private.pem and NAME.pem."""
    from evaluation.suites_command import write_key_pair

    write_key_pair(name)


@suites.command("sign")
@click.argument("file", type=_FILE)
@click.option("--key", required=True, type=_FILE, help="Private key of `suites new-key`.")
@click.option("--out", "folder", default=".", type=_FOLDER, help="Folder for the signed file; default: here.")
def sign_suite(file: Path, key: Path, folder: Path) -> None:
    """Sign the suite in FILE, its JSON with or without an older signature, and write `<suite id>.json`."""
    from evaluation.suites_command import sign_file

    sign_file(file, key, folder)


@cli.command()
@click.argument("name", required=False)
def metrics(name: str | None) -> None:
    """List the metrics, or explain the metric NAME."""
    from evaluation.listings import explain_metric, print_metrics

    explain_metric(name) if name else print_metrics()


@cli.command()
@click.argument("name", metavar="METRIC")
def explain(name: str) -> None:
    """Explain METRIC: formula, range, direction, source, traps, what it misses, and its id under each suite."""
    from evaluation.listings import explain_metric

    explain_metric(name)


@cli.command()
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; default: torch decides.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--weights", "weights_dir", type=click.Path(path_type=Path), help="Folder with weight files.")
def scorer(threads: int | None, device: str, weights_dir: Path | None) -> None:
    """Stay warm and answer JSON lines on standard input; see evaluation/scorer_service.py."""
    from evaluation.scorer_service import serve

    serve(threads=threads, device=device, weights_dir=weights_dir)


@cli.command()
@click.option("--n", type=click.IntRange(min=1), default=24, show_default=True, help="Images to score.")
@click.option("--size", type=click.IntRange(192, 1024), default=256, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--weights", "weights_dir", type=click.Path(path_type=Path), help="Folder with weight files.")
@click.option("--growth", is_flag=True, help="Also compare the time for 8 times as many images.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(
    *, n: int, size: int, threads: int, device: str, weights_dir: Path | None, growth: bool, as_json: bool
) -> None:
    """Measure how long scoring takes on generated images: our suite, its floor, and the usual way."""
    from evaluation.bench.command import BenchPlan, print_bench

    plan = BenchPlan(n, size, threads, device, weights_dir, growth)
    print_bench(plan, as_json=as_json)


@cli.command(add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def weights(arguments: tuple[str, ...]) -> None:
    """List, download, check and add the weight files of the official backbones."""
    from evaluation.weights_command import weights as commands

    commands(list(arguments), prog_name="python -m evaluation weights", standalone_mode=False)


def main() -> None:
    """Run the command line of the evaluation library."""
    run(cli)


def run(commands: click.Command) -> None:
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
