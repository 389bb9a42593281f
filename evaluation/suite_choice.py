"""Which suite somebody means: one that ships with the library, or a signed file of somebody they trust."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluation.errors import InvalidSuite
from evaluation.signatures import shipped_keys
from evaluation.spec import MetricSuite, load_suite, read_suite, suite_ids
from evaluation.suite_files import check_suite

_LOSS_COLUMNS = ("content_loss_sum", "total_loss")


def open_suite(name: str, trusted: Sequence[Path] = ()) -> MetricSuite:
    """Return the suite of an id, or of a signed file that a shipped or a trusted public key confirms.

    Raises:
        InvalidSuite: unknown, changed, signed by somebody else, or not computable by this library.
    """
    if name in suite_ids() or not (name.endswith(".json") or Path(name).is_file()):
        return load_suite(name)
    keys = [*shipped_keys(), *(_read_key(path) for path in trusted)]
    try:
        suite = read_suite(Path(name), keys)
    except InvalidSuite as error:
        if trusted:
            raise
        hint = "If somebody else signed it whom you trust, add --trust KEY.pem with their public key."
        raise InvalidSuite(error.message, fix=f"{error.fix} {hint}".strip()) from error
    check_suite(suite)
    return suite


def change_loss_weights(suite: MetricSuite, weights: tuple[float, float, float]) -> MetricSuite:
    """Return a suite with other weights of the total loss; its digest is another one, its scores are not."""
    further = tuple(name for name in _LOSS_COLUMNS if name not in suite.columns)
    return replace(suite, loss_weights=weights, columns=(*suite.columns, *further))


def _read_key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidSuite(f"{path} cannot be read: {error.strerror}.", fix="Name a public key.") from error
