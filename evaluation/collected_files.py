"""What set-level metrics read of a run's outputs, as one file, so that parts scored apart can be put together."""

import io
import zipfile
from pathlib import Path

import numpy as np

from evaluation.errors import EvaluationError
from evaluation.files import write_atomic
from evaluation.output_sets import Collected

_IDS = "pair_ids"  # no ingredient has this name


class InvalidStatistics(EvaluationError):
    """The file does not hold what was collected of outputs."""

    code = "INVALID_STATISTICS"


def write_collected(collected: Collected, path: Path) -> None:
    """Write what was collected as npz, whole or not at all: pair ids in order, and a matrix for each ingredient.

    The same numbers give the same file, byte for byte; nothing collected gives a file with no ids.
    """
    ids = sorted(collected)
    names = sorted(collected[ids[0]]) if ids else []
    columns = {name: np.stack([collected[pair_id][name] for pair_id in ids]) for name in names}
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **{_IDS: np.array(ids, dtype=np.str_)}, **columns)
    write_atomic(path, packed.getvalue())


def read_collected(path: Path) -> Collected:
    """Read what `write_collected` wrote, the same numbers bit for bit.

    Raises:
        InvalidStatistics: it cannot be read, or is another kind of file.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            columns = {name: stored[name] for name in stored.files}
        ids = columns.pop(_IDS).tolist()
        return {
            pair_id: {name: rows[index] for name, rows in columns.items()}
            for index, pair_id in enumerate(ids)
        }
    except (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile) as error:
        raise InvalidStatistics(f"{path.name}: {error}") from error
