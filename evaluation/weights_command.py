"""The command `weights`: list, download, check and add the weight files of the official backbones."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from evaluation.backbones.weight_files import (
    CATALOG,
    WeightFile,
    add,
    fetch,
    find,
    verify,
    weight_file,
)
from evaluation.errors import WeightsCorrupt

Catalog = Mapping[str, WeightFile]

_in_folder = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of weight files; default: torch's own, for downloads.",
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_names = click.argument("names", nargs=-1, metavar="[NAME]...")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def weights(context: click.Context) -> None:
    """List, download, check and add the weight files of the official backbones."""
    context.obj = context.obj or CATALOG  # a caller may give another catalog as `obj`


@weights.command("list")
@_in_folder
@_as_json
@click.pass_obj
def list_files(catalog: Catalog, folder: Path | None, as_json: bool) -> None:
    """List all weight files: whether they are here, how large, from where, under which license."""
    rows = [_row(file, find(file, folder)) for file in catalog.values()]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for file, row in zip(catalog.values(), rows, strict=True):
        click.echo(f"{file.name}: {row['path'] or 'missing'}")
        click.echo(f"  {file.file_name}, {file.size / 1e6:.0f} MB, {file.license}, {file.url}")


@weights.command("verify")
@_names
@_in_folder
@_as_json
@click.pass_obj
def verify_files(catalog: Catalog, names: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Check the sha256 of the weight files that are here, or of those NAMEd, which then must be here.

    The exit status is 1 if a file is another one than was published, or a named one is missing.
    """
    files = [weight_file(name, catalog) for name in names] or list(catalog.values())
    rows = [_row(file, path := find(file, folder)) | {"state": _state(file, path)} for file in files]
    if as_json:
        click.echo(json.dumps(rows))
    else:
        for row in rows:
            click.echo(f"{row['name']}: {row['state']} {row['path'] or ''}".rstrip())
    states = {row["state"] for row in rows}
    sys.exit(1 if "corrupt" in states or (names and "missing" in states) else 0)


@weights.command("fetch")
@_names
@_in_folder
@_as_json
@click.pass_obj
def fetch_files(catalog: Catalog, names: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Download the weight files NAMEd, with a progress bar; files that are here already are kept."""
    if not names:
        raise click.UsageError(f"Name at least one: {', '.join(catalog)}.")
    _print_paths({name: fetch(weight_file(name, catalog), folder) for name in names}, as_json=as_json)


@weights.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@_in_folder
@_as_json
@click.pass_obj
def add_file(catalog: Catalog, file: Path, folder: Path | None, as_json: bool) -> None:
    """Copy FILE, downloaded elsewhere and called anything, to where backbones look for it."""
    path = add(file, folder, catalog=catalog)
    name = next(each.name for each in catalog.values() if each.file_name == path.name)
    _print_paths({name: path}, as_json=as_json)


def _row(file: WeightFile, path: Path | None) -> dict[str, str | int | None]:
    return asdict(file) | {"path": None if path is None else str(path)}


def _state(file: WeightFile, path: Path | None) -> str:
    if path is None:
        return "missing"
    try:
        verify(path, file.sha256)
    except WeightsCorrupt:
        return "corrupt"
    return "right"


def _print_paths(paths: dict[str, Path], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({name: str(path) for name, path in paths.items()}))
        return
    for name, path in paths.items():
        click.echo(f"{name}: {path}")
