"""Prepare a private folder for an act, play it as a process of its own, and read its report."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.house import ROOT, environment
from tests.servers import free_port

REPORT = "report.json"

Report = dict[str, Any]


@dataclass(frozen=True)
class Places:
    """Where an act plays; the ports are chosen before the settings are read."""

    folder: str
    postgres_port: int
    redis_port: int


def play(
    folder: Path, module: str, options: Mapping[str, object], changes: Mapping[str, str] | None = None
) -> Report:
    """Call `main(places, **options)` of a module in a process whose Django knows the places; return its report.

    `changes` go to the environment of the act and all its services.

    Raises:
        subprocess.CalledProcessError: the act broke off.
    """
    folder.mkdir()
    folder.chmod(0o711)  # the users that sandboxes run as have to pass through
    for name in ("home", "tmp", "data"):
        (folder / name).mkdir(mode=0o755)
    places = Places(str(folder), free_port(), free_port())
    variables = environment(
        folder,
        database=f"postgres://pastiche@127.0.0.1:{places.postgres_port}/pastiche",
        broker=f"redis://127.0.0.1:{places.redis_port}/0",
    )
    code = f"from tests.chaos.stage import Places; from {module} import main; main({places!r}, **{dict(options)!r})"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "--command", code]
    subprocess.run(
        command,
        check=True,
        cwd=ROOT,
        env={**variables, **(changes or {})},
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )
    report: Report = json.loads((folder / REPORT).read_text())
    return report


def write_report(places: Places, report: Report) -> None:
    """Leave an act's report where `play` finds it."""
    Path(places.folder, REPORT).write_text(json.dumps(report))
