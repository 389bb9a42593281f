"""The command `generate`: run an archive on the pairs of a dataset folder, on one's own machine."""

import sys
import tempfile
from pathlib import Path

import click

from evaluation.archive import unpack_archive
from evaluation.generation.driver import Limits
from evaluation.generation.generate import GENERATION_FILE
from evaluation.generation.generate import generate as generate_pictures
from evaluation.generation.process import ProcessDriver
from evaluation.pairs import read_pairs


def run_generate(
    archive: Path, folder: Path, out: Path, *, split: str | None, device: str, as_json: bool
) -> None:
    """Unpack the archive, write a picture for each pair, and say how long that took.

    Raises:
        EvaluationError: the archive or the pairs are refused, or the generator failed.
    """
    pairs = read_pairs(folder, split)
    with tempfile.TemporaryDirectory(prefix="pastiche-bundle-") as bundle:
        info = unpack_archive(archive, Path(bundle))
        generation = generate_pictures(
            Path(bundle),
            info.manifest,
            pairs,
            out,
            driver=ProcessDriver(device=device),
            limits=Limits(),
            log=_print_log,
            progress=_print_progress,
        )
    if as_json:
        click.echo((out / GENERATION_FILE).read_text(encoding="utf-8"), nl=False)
    else:
        seconds = sum(pair.seconds for pair in generation.pairs)
        click.echo(f"{len(generation.pairs)} pictures in {out}, {seconds:.1f} s of generator time.")


def _print_log(chunk: bytes) -> None:
    sys.stderr.write(chunk.decode(errors="replace"))


def _print_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {total} pairs", err=True, nl=done == total)
