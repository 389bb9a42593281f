"""The record of a training, kept beside the weights: the card is made from it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from evaluation.errors import EvaluationError

RECORD_FILE = "record.json"


class InvalidRecord(EvaluationError):
    """The file is not the record of a training."""

    code = "INVALID_RECORD"


@dataclass(frozen=True)
class Record:
    """How weights came to be; `sha256` is that of the weight file, `seconds` the time of the steps alone."""

    name: str
    sha256: str
    parameters: int
    steps: int
    batch: int
    size: int
    seed: int
    is_bf16: bool
    seconds: float
    device: str
    threads: int
    torch: str
    features: str
    features_sha256: str
    contents: int
    contents_sha256: str
    styles: int
    styles_sha256: str
    note: str

    def to_json(self) -> str:
        """Write the form that `read_record` reads."""
        return json.dumps(asdict(self), indent=1) + "\n"


def read_record(path: Path) -> Record:
    """Read a record.

    Raises:
        InvalidRecord: the file is missing or something else.
    """
    try:
        return Record(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError) as error:
        raise InvalidRecord(f"{path} is not the record of a training: {error}.") from error
