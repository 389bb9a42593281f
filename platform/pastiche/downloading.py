"""Download the public pairs of a competition as a dataset folder, whole or not at all."""

import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import InvalidImage, InvalidPairs
from evaluation.images import decode_rgb
from evaluation.pairs import PAIRS_FILE, read_pairs
from pastiche.client import Client
from pastiche.errors import FolderError, NetworkError, Refused
from pastiche.language import say
from pastiche.responses import Pair

_PICTURE = re.compile(r"[0-9a-f]{64}\.png")

Notice = Callable[[int, int], object]


@dataclass(frozen=True)
class Download:
    """What lies in the folder now: square pictures of `size` pixels, each distinct one once."""

    folder: str
    size: int
    pairs: int
    images: int


def download_pairs(
    client: Client,
    slug: str,
    folder: Path,
    *,
    phase: str = "",
    most: int | None = None,
    notice: Notice = lambda done, total: None,
) -> Download:
    """Write the public pairs to `folder`, which `evaluation.pairs.read_pairs` reads; pictures are named by sha256.

    A former download is replaced; `most` is how many pairs are enough; `notice` is told after each fetched image
    how many of how many are there.

    Raises:
        FolderError: the folder holds something else, or cannot be written.
        NetworkError: the server sends what is no pair of images of one size, or an address elsewhere.
        Refused: the phase has no public pairs.
    """
    place = folder.resolve()
    _check_place(place)
    pairs = client.pairs(slug, phase)[:most]
    if not pairs:
        raise Refused(
            say("There are no public pairs."), fix=say("Name another phase with --phase."), code="NO_PAIRS"
        )
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(8)}.tmp")
    try:
        temporary.mkdir(parents=True)
        pictures = _Pictures(client, temporary, notice)
        pictures.fetch_all(pairs)
        _write_pairs(pairs, pictures, temporary)
        _put_in_place(temporary, place)
    except OSError as error:
        raise FolderError(
            say("{folder} cannot be written: {reason}.", folder=folder, reason=error.strerror),
            fix=say("Name another folder with --out."),
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Download(str(folder), pictures.size, len(pairs), len(set(pictures.names.values())))


class _Pictures:
    """The fetched images: `names` says which file holds which address, `size` is their side in pixels."""

    def __init__(self, client: Client, folder: Path, notice: Notice) -> None:
        self.names: dict[str, str] = {}
        self.size = 0
        self._client = client
        self._folder = folder
        self._notice = notice

    def fetch_all(self, pairs: list[Pair]) -> None:
        """Fetch each address once."""
        owners = {address: pair.id for pair in pairs for address in (pair.content_url, pair.style_url)}
        for address, pair_id in owners.items():
            data = self._client.image(address)
            self._check(data, pair_id)
            name = f"{hashlib.sha256(data).hexdigest()}.png"
            (self._folder / name).write_bytes(data)
            self.names[address] = name
            self._notice(len(self.names), len(owners))

    def _check(self, data: bytes, pair_id: str) -> None:
        try:
            height, width, _ = decode_rgb(data, f"An image of pair {pair_id}", self.size or None).shape
        except InvalidImage as error:
            raise _bad_answer(error.message) from error
        if height != width:
            raise _bad_answer(f"An image of pair {pair_id} is {width} x {height} pixels, not square.")
        self.size = height


def _write_pairs(pairs: list[Pair], pictures: _Pictures, folder: Path) -> None:
    """Write `pairs.json`, and read the folder as the evaluation will."""
    rows = [
        {
            "id": pair.id,
            "content": pictures.names[pair.content_url],
            "style": pictures.names[pair.style_url],
            "split": "public",
            "style_family": pair.style_family,
            "culture": pair.culture,
            "content_kind": pair.content_kind,
        }
        for pair in pairs
    ]
    text = json.dumps({"schema": 1, "size": pictures.size, "pairs": rows}, indent=2) + "\n"
    (folder / PAIRS_FILE).write_text(text, encoding="utf-8")
    try:
        read_pairs(folder)
    except InvalidPairs as error:
        raise _bad_answer(error.message.replace(f"{folder}/", "")) from error


def _check_place(place: Path) -> None:
    """Raise FolderError where there is something that no download has left."""
    try:
        found = sorted(place.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise FolderError(
            say("{folder} is no folder: {reason}.", folder=place, reason=error.strerror),
            fix=say("Name another folder with --out."),
        ) from error
    files = {path.name for path in found if path.is_file() and not path.is_symlink()}
    pictures = {name for name in files if _PICTURE.fullmatch(name)}
    strange = [path.name for path in found if path.name not in pictures | {PAIRS_FILE} & files]
    if strange or found and not (pictures and PAIRS_FILE in files):
        raise FolderError(
            say(
                "{folder} holds what is no download, e.g. {name}.",
                folder=place,
                name=(strange or [found[0].name])[0],
            ),
            fix=say("Name an empty or a new folder with --out."),
        )


def _put_in_place(temporary: Path, place: Path) -> None:
    """Rename; a folder that stands there steps aside first, and comes back where the rename fails."""
    if not place.exists():
        temporary.rename(place)
        return
    former = temporary.with_suffix(".old")
    place.rename(former)
    try:
        temporary.rename(place)
    except BaseException:
        former.rename(place)
        raise
    shutil.rmtree(former)


def _bad_answer(message: str) -> NetworkError:
    return NetworkError(
        say("The server's pairs cannot be used: {reason}", reason=message),
        fix=say("Run the command again; if that does not help, tell the organizers."),
        code="BAD_ANSWER",
    )
