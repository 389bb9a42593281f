"""What can go wrong in a training, each with what to do about it."""

from evaluation.errors import EvaluationError


class Diverged(EvaluationError):
    """The loss is no longer a number."""

    code = "DIVERGED"


class OutOfMemory(EvaluationError):
    """The device has too little memory for this training."""

    code = "OUT_OF_MEMORY"


class DeviceMissing(EvaluationError):
    """This machine has no CUDA device that torch can use."""

    code = "DEVICE_MISSING"


class OtherRun(EvaluationError):
    """The folder holds a run with other settings."""

    code = "OTHER_RUN"
