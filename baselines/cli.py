"""The command line of the reference generators: list, train, export, evaluate, interpolate; ship and keep digests."""

import json
import sys
from pathlib import Path

import click

from baselines.export import (
    Format,
    Variant,
    changed_digests,
    export_baseline,
    get_baseline,
    ready_names,
    write_digests,
)
from baselines.registry import BASELINES
from evaluation.cli import run

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_RUNS = Path("var") / "baselines"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Reference generators, exported to the same archives that participants upload."""


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_baselines(as_json: bool) -> None:
    """List names and what they do."""
    if as_json:
        keys = ("name", "title", "kind", "description", "paper", "license", "is_ready")
        rows = [{key: getattr(baseline, key) for key in keys} for baseline in BASELINES.values()]
        click.echo(json.dumps(rows, indent=1))
        return
    for baseline in BASELINES.values():
        ending = "" if baseline.is_ready else " (not trained yet)"
        click.echo(f"{baseline.name:15} {baseline.kind:9} {baseline.title}: {baseline.description}{ending}")


@cli.command()
@click.argument("name")
@click.option(
    "--out", type=_FOLDER, help="Folder of the run; default: var/baselines/NAME. A run there goes on."
)
@click.option(
    "--content", multiple=True, default=("generated",), show_default=True, help="Folder; repeatable."
)
@click.option("--style", multiple=True, default=("generated",), show_default=True, help="Folder; repeatable.")
@click.option("--culture", multiple=True, help="Only style images of this culture or school; repeatable.")
@click.option(
    "--features", type=click.Choice(["tiny-vgg-1", "vgg19"]), default="tiny-vgg-1", show_default=True
)
@click.option(
    "--teacher", type=_FILE, help="Weights of the distilled VGG-19 (Wang et al. 2020), as features."
)
@click.option("--steps", type=click.IntRange(min=1), help="Default: the baseline's own.")
@click.option("--batch", type=click.IntRange(min=1), help="Default: the baseline's own.")
@click.option("--size", type=click.IntRange(min=64), help="Side of crops; default: 128 on cpu, 256 on cuda.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--bf16", is_flag=True, help="Compute in bfloat16 where that is safe.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; default: torch decides.")
@click.option("--save-every", type=click.IntRange(min=1), default=250, show_default=True, help="Steps.")
@click.option("--note", default="", help="What the pictures are and their licenses, for the card.")
@click.option("--json", "as_json", is_flag=True, help="Print the record of the training.")
def train(
    *,
    name: str,
    out: Path | None,
    content: tuple[str, ...],
    style: tuple[str, ...],
    culture: tuple[str, ...],
    features: str,
    teacher: Path | None,
    steps: int | None,
    batch: int | None,
    size: int | None,
    seed: int,
    device: str,
    bf16: bool,
    threads: int | None,
    save_every: int,
    note: str,
    as_json: bool,
) -> None:
    """Train the generator NAME from two folders of pictures; a run that was stopped goes on.

    The word "generated" in place of a folder stands for pictures that need no download: photographs that come
    with scikit-image, and style images that the project paints.
    """
    from baselines.training.command import TrainOptions, print_record, run_train

    options = TrainOptions(
        content=content,
        style=style,
        culture=culture,
        features=features,
        teacher=teacher,
        steps=steps,
        batch=batch,
        size=size,
        seed=seed,
        device=device,
        bf16=bf16,
        threads=threads,
        save_every=save_every,
        note=note,
    )
    folder = out or _RUNS / name
    print_record(run_train(get_baseline(name), folder, options), folder, as_json=as_json)


@cli.command()
@click.argument("name")
@click.option("--run", "folder", type=_FOLDER, help="Folder of a finished run; default: var/baselines/NAME.")
def ship(name: str, folder: Path | None) -> None:
    """Make the weights of a finished run those that the project ships, and write the card of NAME."""
    from baselines.shipping import ship_run

    click.echo(f"{ship_run(get_baseline(name), folder or _RUNS / name)} is in place.")


@cli.command()
@click.argument("content", type=_FILE)
@click.argument("ends", nargs=2, metavar="FIRST SECOND")
@click.option("--style", multiple=True, default=("generated",), show_default=True, help="Folder; repeatable.")
@click.option("--count", type=click.IntRange(min=2), default=5, show_default=True, help="Pictures.")
@click.option("--run", "folder", type=_FOLDER, help="Folder of a finished run, in place of shipped weights.")
@click.option("--out", required=True, type=_FILE, help="PNG that is written.")
def interpolate(
    *,
    content: Path,
    ends: tuple[str, str],
    style: tuple[str, ...],
    count: int,
    folder: Path | None,
    out: Path,
) -> None:
    """Draw CONTENT in a row from the culture FIRST to the culture SECOND, with the codes of style_modulated.

    Cultures are the names of subfolders of the style folders, or those of the project's painters.
    """
    from baselines.interpolation import write_row

    write_row(content, ends, style, out, count=count, run=folder)
    click.echo(f"{out}: {count} pictures from {ends[0]} to {ends[1]}.")


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Export every baseline that has its weights.")
@click.option("--out", required=True, type=_FOLDER, help="Folder for the archives.")
@click.option("--format", "form", type=click.Choice(["python", "onnx"]), default="python", show_default=True)
@click.option("--strength", type=click.FloatRange(0, 1), default=1.0, show_default=True)
@click.option("--run", "folder", type=_FOLDER, help="Folder of a finished run, in place of shipped weights.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def export(
    *,
    names: tuple[str, ...],
    every: bool,
    out: Path,
    form: Format,
    strength: float,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Write NAME.zip for each of NAMES."""
    if bool(names) == every:
        raise click.UsageError("Name baselines, or give --all.")
    variant = Variant(form, strength, folder)
    exports = [export_baseline(name, out, variant) for name in (ready_names() if every else names)]
    if as_json:
        rows = [{"name": item.name, "path": str(item.path), "sha256": item.sha256} for item in exports]
        click.echo(json.dumps(rows, indent=1))
        return
    for item in exports:
        click.echo(f"{item.sha256}  {item.path}")


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Every baseline that has its weights.")
@click.option("--pairs", "folder", type=_FOLDER, help="Dataset folder; default: the demo dataset, seed 0.")
@click.option("--split", type=click.Choice(["public", "hidden"]), help="Only the pairs of this split.")
@click.option("--outputs", type=_FOLDER, help="Folder that keeps the pictures.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads; default: torch decides.")
@click.option("--write", is_flag=True, help="For maintainers: make this the table of baselines/README.md.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def evaluate(
    *,
    names: tuple[str, ...],
    every: bool,
    folder: Path | None,
    split: str | None,
    outputs: Path | None,
    threads: int | None,
    write: bool,
    as_json: bool,
) -> None:
    """Score NAMES on the demo suite through export, generator process and scorer."""
    from baselines.evaluation_command import EvaluateOptions, run_evaluate

    if bool(names) == every:
        raise click.UsageError("Name baselines, or give --all.")
    if write and (folder or split):
        raise click.UsageError("The table of the README is of the whole demo dataset.")
    options = EvaluateOptions(folder, split, outputs, threads, is_table=write, is_json=as_json)
    run_evaluate(ready_names() if every else list(names), options)


@cli.command()
def cards() -> None:
    """Write the card of every baseline anew, from the registry and the records of the trainings."""
    from baselines.cards import write_card

    for baseline in BASELINES.values():
        write_card(baseline)
    click.echo(f"{len(BASELINES)} cards written.")


@cli.command()
@click.option("--write", "mode", flag_value="write", help="Write the digests of all exports to the list.")
@click.option("--check", "mode", flag_value="check", help="Fail where an export differs from the list.")
def digests(mode: str | None) -> None:
    """Keep the list of the archives that the project itself ships and therefore trusts."""
    if mode == "write":
        click.echo(f"{len(write_digests())} digests written.")
    elif mode == "check":
        changed = changed_digests()
        if changed:
            click.echo(f"Changed: {', '.join(changed)}. Run: python -m baselines digests --write", err=True)
            sys.exit(1)
        click.echo("All digests are up to date.")
    else:
        raise click.UsageError("Choose --write or --check.")


def main() -> None:
    """Run the command line of the baselines."""
    run(cli)
