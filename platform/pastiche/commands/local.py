"""Check and evaluate a generator on this machine, with the platform's own code."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.text import Text

from evaluation.archive import ArchiveInfo
from evaluation.archive_report import accepted_fields, accepted_text
from pastiche.bundle import ANY_SIZE_MB, inspect, packed
from pastiche.client import Client
from pastiche.command import Command, connect, make_console, print_json, working
from pastiche.errors import CheckFailed, Refused
from pastiche.language import say
from pastiche.responses import PhaseDetail
from pastiche.tables import score_table
from pastiche.text import number, plain

TRIED = 2  # pairs; what the platform's dry run looks at first
PATH = click.argument("path", type=click.Path(exists=True, path_type=Path))
COMPETITION = "The competition's slug, as `pastiche list` shows it."
FOLDER = click.Path(file_okay=False, path_type=Path)
EXISTING_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(cls=Command)
@PATH
@click.option("--competition", help="Use the limits and two public pairs of this competition.")
@click.option("--phase", default="", help="Another phase than the one that matters now.")
@click.option("--pairs", type=EXISTING_FOLDER, help="Take the pairs from this folder of `pastiche pairs`.")
def check(path: Path, competition: str | None, phase: str, pairs: Path | None, as_json: bool) -> None:
    """Check PATH, a .zip file or a generator's folder, as the server does; then run it on two public pairs.

    Without --competition and --pairs nothing in it is executed.
    """
    chosen: PhaseDetail | None = None
    tried: dict[str, object] = {}
    with packed(path) as archive:
        if competition is None:
            info = inspect(archive)
            tried = _try(archive, info, pairs, None) if pairs else {}
        else:
            with connect(login=False) as client:
                chosen = find_phase(client, competition, phase)
                info = inspect(archive, _archive_mb(chosen))
                with _pairs(client, pairs, competition, chosen.slug, most=TRIED) as folder:
                    tried = _try(archive, info, folder, chosen)
    if as_json:
        click.echo(json.dumps(accepted_fields(info) | ({"tried": tried} if tried else {}), indent=2))
        return
    _tell(info, tried, chosen.limits.get("pair_seconds") if chosen else None)


@click.command(cls=Command)
@PATH
@click.option("--competition", required=True, help=COMPETITION)
@click.option("--phase", default="", help="Another phase than the one that matters now.")
@click.option("--pairs", type=EXISTING_FOLDER, help="Take the pairs from this folder of `pastiche pairs`.")
@click.option("--out", type=FOLDER, help="Keep the pictures in this folder.")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cpu", help="Where generator and scorer run."
)
def evaluate(
    *,
    path: Path,
    competition: str,
    phase: str,
    pairs: Path | None,
    out: Path | None,
    device: str,
    as_json: bool,
) -> None:
    """Run PATH on all public pairs here, under the competition's limits, and score them as the server does."""
    from pastiche.scoring import check_suite, score_pictures  # numpy and Pillow, which others do not wait for

    with (
        tempfile.TemporaryDirectory(prefix="pastiche-evaluate-") as name,
        packed(path) as archive,
        connect(login=False) as client,
    ):
        chosen = find_phase(client, competition, phase)
        suite = check_suite(chosen)
        inspect(archive, _archive_mb(chosen))
        with _pairs(client, pairs, competition, chosen.slug) as folder:
            outputs = out or Path(name) / "outputs"
            _generate(archive, folder, outputs, chosen, device=device, as_json=as_json)
            scores = score_pictures(outputs, folder, suite, device=device)
    if as_json:
        print_json(scores)
    else:
        make_console().print(score_table(scores))


def find_phase(client: Client, competition: str, slug: str) -> PhaseDetail:
    """Return the phase of that name; without one, as the server does: the open one, the next one, the last one.

    Raises:
        Refused: there is no such phase.
    """
    phases = client.phases(competition)
    named = [phase for phase in phases if phase.slug == slug or not slug]
    if not named:
        raise Refused(
            say("The competition has no such phase."),
            fix=say("Run `pastiche info {slug}`.", slug=competition),
        )
    now = datetime.now(UTC)
    running = [phase for phase in named if phase.state == "open"]
    coming = sorted((phase for phase in named if phase.opens_at > now), key=lambda phase: phase.opens_at)
    return (running or coming or sorted(named, key=lambda phase: phase.closes_at, reverse=True))[0]


@contextmanager
def _pairs(
    client: Client, folder: Path | None, competition: str, phase: str, *, most: int | None = None
) -> Iterator[Path]:
    """Yield the folder that was named, or one with the public pairs, which is gone afterwards."""
    from pastiche.downloading import download_pairs

    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="pastiche-pairs-") as name:
        place = Path(name) / "pairs"
        with working(say("images"), show=True) as notice:
            download_pairs(client, competition, place, phase=phase, most=most, notice=notice)
        yield place


def _archive_mb(phase: PhaseDetail) -> int:
    """Return how large an archive may be; a server that does not say decides when it is sent."""
    limit = phase.limits.get("archive_mb")
    return ANY_SIZE_MB if limit is None else int(limit)


def _try(archive: Path, info: ArchiveInfo, folder: Path, phase: PhaseDetail | None) -> dict[str, object]:
    from evaluation.pairs import read_pairs
    from pastiche.trying import limits_of, try_generator

    pairs = read_pairs(folder, "public")[:TRIED]
    trial = try_generator(archive, pairs, limits_of(phase), repeat=info.manifest.deterministic)
    if trial.is_repeatable is False:
        raise CheckFailed(
            say("The manifest promises to be deterministic, and a second run made other pictures."),
            fix=say('Set the seeds in `__init__`, or write "deterministic": false.'),
            code="NONDETERMINISTIC",
        )
    return asdict(trial)


def _generate(
    archive: Path, folder: Path, outputs: Path, phase: PhaseDetail, *, device: str, as_json: bool
) -> None:
    from evaluation.pairs import read_pairs
    from pastiche.trying import limits_of, run_generator

    pairs = read_pairs(folder, "public")
    with working(say("pairs"), show=not as_json) as notice:
        run_generator(archive, pairs, outputs, limits=limits_of(phase), device=device, notice=notice)


def _tell(info: ArchiveInfo, tried: dict[str, object], limit: float | None) -> None:
    console = make_console()
    console.print(Text(plain(accepted_text(info))), soft_wrap=True)
    if tried:
        slowest = float(str(tried["slowest_seconds"]))
        told = say("{n} public pairs, the slowest in {seconds} s", n=tried["pairs"], seconds=number(slowest))
        told += say(" (limit {seconds} s)", seconds=limit) if limit else ""
        told += say("; a second run made the same pictures") if tried["is_repeatable"] else ""
        console.print(Text(f"{say('tried')}     {told}"), soft_wrap=True)
    else:
        click.echo(say("Nothing was executed: name a --competition to try it on two of its pairs."), err=True)
    console.print(say("accepted"), style="green")
