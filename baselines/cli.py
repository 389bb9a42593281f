"""The command line of the reference generators: list them, export them, keep the list of shipped digests."""

import json
import sys
from pathlib import Path

import click

from baselines.export import changed_digests, export_baseline, write_digests
from baselines.registry import BASELINES
from evaluation.cli import run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Reference generators, exported to the same archives that participants upload."""


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def list_baselines(as_json: bool) -> None:
    """List names and what they do."""
    if as_json:
        keys = ("name", "title", "kind", "description", "paper", "license")
        rows = [{key: getattr(baseline, key) for key in keys} for baseline in BASELINES.values()]
        click.echo(json.dumps(rows, indent=1))
        return
    for baseline in BASELINES.values():
        click.echo(f"{baseline.name:12} {baseline.kind:8} {baseline.title}: {baseline.description}")


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Export every baseline.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the archives.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
def export(names: tuple[str, ...], every: bool, out: Path, as_json: bool) -> None:
    """Write NAME.zip for each of NAMES."""
    if bool(names) == every:
        raise click.UsageError("Name baselines, or give --all.")
    exports = [export_baseline(name, out) for name in (BASELINES if every else names)]
    if as_json:
        rows = [{"name": item.name, "path": str(item.path), "sha256": item.sha256} for item in exports]
        click.echo(json.dumps(rows, indent=1))
        return
    for item in exports:
        click.echo(f"{item.sha256}  {item.path}")


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
