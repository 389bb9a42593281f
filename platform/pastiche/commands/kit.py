"""Make the starter kit: a folder with a small generator that is accepted as it is."""

import json
import re
import shutil
from pathlib import Path

import click
from rich.text import Text

from pastiche.bundle import BUNDLE
from pastiche.command import Command, make_console
from pastiche.errors import FolderError
from pastiche.language import language, say
from pastiche.text import plain

KIT = Path(__file__).parents[1] / "starter"
README = {"en": "README.md", "zh": "README.zh.md"}


@click.command(cls=Command)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--name", help="The generator's name: lower-case letters, digits, hyphens; default: the folder's."
)
def init(folder: Path, name: str | None, as_json: bool) -> None:
    """Write a starter kit to FOLDER: a generator, its manifest, a training, and the export to both formats."""
    chosen = name or re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")[:64].strip("-")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", chosen or "") or len(chosen) > 64:
        raise FolderError(
            say("{name} cannot be the name of a generator.", name=repr(chosen)),
            fix=say("Give one with --name: 1 to 64 lower-case letters, digits and single hyphens."),
            code="NAME",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderError(
            say("{folder} is not empty.", folder=folder), fix=say("Name a new or an empty folder.")
        )
    write_kit(folder, chosen)
    if as_json:
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        click.echo(json.dumps({"folder": str(folder), "name": chosen, "files": files}))
        return
    console = make_console()
    console.print(Text(say("{folder}: the generator {name}", folder=plain(str(folder)), name=chosen)))
    console.print(
        Text(say("Next: `pastiche check {folder}`, then read README.md.", folder=plain(str(folder))))
    )


def write_kit(folder: Path, name: str) -> None:
    """Copy the kit, and write the generator's name into its manifest."""
    others = {readme for tongue, readme in README.items() if tongue != language()}
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc", *others)
    shutil.copytree(KIT, folder, ignore=skipped, dirs_exist_ok=True)
    (folder / README[language()]).rename(folder / README["en"])
    manifest = folder / BUNDLE / "manifest.json"
    fields = json.loads(manifest.read_text(encoding="utf-8")) | {"name": name}
    manifest.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
