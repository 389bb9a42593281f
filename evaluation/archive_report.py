"""Tell on a terminal or as JSON whether an archive would be accepted."""

import json
from pathlib import Path

import click

from evaluation.archive import ArchiveInfo, inspect_archive
from evaluation.errors import InvalidArchive


def print_check(path: Path, *, as_json: bool) -> int:
    """Inspect an archive, print the result, and return the exit status: 0 accepted, 2 refused."""
    try:
        info = inspect_archive(path)
    except InvalidArchive as error:
        click.echo(
            json.dumps(refused_fields(error)) if as_json else f"{error.reason}: {error}", err=not as_json
        )
        return 2
    click.echo(json.dumps(accepted_fields(info)) if as_json else accepted_text(info))
    return 0


def accepted_fields(info: ArchiveInfo) -> dict[str, object]:
    """Return what `check --json` prints of a good archive."""
    return {
        "ok": True,
        "sha256": info.sha256,
        "size": info.size,
        "files": dict(info.files),
        "manifest": info.manifest.model_dump(mode="json"),
    }


def refused_fields(error: InvalidArchive) -> dict[str, object]:
    """Return what `check --json` prints of a refused archive."""
    named = {"code": error.code, "reason": error.reason, "message": error.message, "fix": error.fix}
    return {"ok": False, "error": named}


def accepted_text(info: ArchiveInfo) -> str:
    """Return what `check` prints of a good archive: one line per thing that was checked."""
    manifest = info.manifest
    unpacked = sum(size for _, size in info.files)
    return "\n".join(
        (
            f"manifest  {manifest.name} {manifest.version}, {manifest.format}, entry {manifest.entry}",
            f"files     {len(info.files)} files, {unpacked:,} bytes ({info.size:,} packed)",
            f"digests   {len(manifest.sha256)} given, all right",
            f"sha256    {info.sha256}",
        )
    )
