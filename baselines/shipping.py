"""Make the result of a training what the project ships: weights, record and card, checked first."""

import hashlib
from importlib import import_module
from pathlib import Path

import torch
from safetensors.torch import load

from baselines.baseline import WEIGHTS_FILE, Baseline
from baselines.cards import write_card
from baselines.record import RECORD_FILE, read_record
from evaluation.errors import EvaluationError
from evaluation.files import write_atomic

MOST_BYTES = 5_000_000


class UnfitWeights(EvaluationError):
    """These weights cannot be shipped."""

    code = "UNFIT_WEIGHTS"


def ship_run(baseline: Baseline, run: Path) -> Path:
    """Copy weights and record of a finished run into the project and write the card; return the weight file.

    Raises:
        InvalidRecord: the run is not finished.
        UnfitWeights: they are not those of the record, too large, not finite, or of another network.
    """
    record = read_record(run / RECORD_FILE)
    data = (run / WEIGHTS_FILE).read_bytes()
    check_weights(baseline, data)
    if record.name != baseline.name or record.sha256 != hashlib.sha256(data).hexdigest():
        raise UnfitWeights(f"{run / RECORD_FILE} is the record of other weights.", fix="Train again.")
    baseline.weights.parent.mkdir(exist_ok=True)
    write_atomic(baseline.record, record.to_json().encode())
    write_atomic(baseline.weights, data)
    write_card(baseline)
    return baseline.weights


def check_weights(baseline: Baseline, data: bytes) -> None:
    """Refuse weights that are too large, not finite, or do not fit the network.

    Raises:
        UnfitWeights: says which.
    """
    if len(data) > MOST_BYTES:
        raise UnfitWeights(
            f"The weights of {baseline.name} have {len(data):,} bytes, at most {MOST_BYTES:,} may be."
        )
    state = load(data)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in state.values()):
        raise UnfitWeights(f"The weights of {baseline.name} are not all finite numbers.", fix="Train again.")
    try:
        import_module(baseline.code).build(state)
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        raise UnfitWeights(f"The weights do not fit {baseline.name}: {first}", fix="Train again.") from error
