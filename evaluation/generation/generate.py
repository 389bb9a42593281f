"""Run a generator over pairs and write its pictures: the pair loop of the command line and of the workers."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evaluation.errors import GenerationError
from evaluation.files import write_atomic
from evaluation.generation.driver import Driver, Limits, Prediction, Session
from evaluation.images import read_rgb, write_png
from evaluation.manifest import Manifest
from evaluation.pairs import Pair

GENERATION_FILE = "generation.json"


@dataclass(frozen=True)
class GeneratedPair:
    """One picture that was written, and the seconds that it took."""

    id: str
    seconds: float


@dataclass(frozen=True)
class Generation:
    """What `generate` writes as generation.json; `failure` is code and message of a run that broke off."""

    driver: dict[str, str]
    load_seconds: float | None
    peak_memory_mb: float | None
    failure: dict[str, str] | None
    pairs: tuple[GeneratedPair, ...]


def stylize_pairs(session: Session, pairs: Iterable[Pair]) -> Iterator[tuple[Pair, Prediction]]:
    """Yield each pair with its stylized image as soon as it is there.

    Raises:
        GenerationError: as `Session.predict`.
        InvalidImage: an image of a pair cannot be read.
    """
    for pair in pairs:
        content = read_rgb(pair.content)
        style = read_rgb(pair.style, size=(content.shape[0], content.shape[1]))
        yield pair, session.predict(content, style)


def generate(
    bundle: Path,
    manifest: Manifest,
    pairs: Sequence[Pair],
    out: Path,
    *,
    driver: Driver,
    limits: Limits,
    log: Callable[[bytes], None],
    progress: Callable[[int, int], None],
) -> Generation:
    """Write `<pair id>.png` for each pair and `generation.json`, which also tells of a failure.

    Args:
        bundle: the unpacked archive.
        manifest: its checked manifest.
        pairs: the pairs, in the order in which the generator gets them.
        out: the folder for the results; it is made.
        driver: how the generator runs.
        limits: what it may use.
        log: receives what the generator prints, from a thread.
        progress: called with pairs done and pairs in all.

    Raises:
        GenerationError: the generator failed; the pictures so far and `generation.json` are written.
    """
    out.mkdir(parents=True, exist_ok=True)
    done: list[GeneratedPair] = []
    session: Session | None = None
    failure = None
    try:
        session = driver.start(bundle, manifest, limits, log)
        for pair, prediction in stylize_pairs(session, pairs):
            write_png(prediction.stylized, out / f"{pair.id}.png")
            done.append(GeneratedPair(pair.id, prediction.seconds))
            progress(len(done), len(pairs))
        session.close()
    except GenerationError as error:
        failure = {"code": error.code, "message": error.message}
        raise
    finally:
        usage = None if session is None else session.abort()
        generation = Generation(
            driver=driver.describe(),
            load_seconds=usage.load_seconds if usage else None,
            peak_memory_mb=usage.peak_memory_mb if usage else None,
            failure=failure,
            pairs=tuple(done),
        )
        write_atomic(out / GENERATION_FILE, json.dumps(asdict(generation), indent=1).encode() + b"\n")
    return generation
