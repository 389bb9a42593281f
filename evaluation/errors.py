"""Every error that the evaluation library raises on purpose; each is safe to show to a participant."""


class EvaluationError(Exception):
    """The evaluation could not be done."""

    code = "EVALUATION_ERROR"

    def __init__(self, message: str = "", *, fix: str = "") -> None:
        """Keep the message (default: the class docstring) and the sentence that says what to do."""
        self.message = message or (self.__doc__ or "").strip()
        self.fix = fix
        super().__init__(f"{self.message} {fix}".strip())


class InvalidArchive(EvaluationError):
    """The submission archive breaks a rule of the archive format."""

    code = "INVALID_BUNDLE"

    def __init__(self, message: str = "", *, fix: str = "", reason: str = "") -> None:
        """Keep, beside message and fix, the rule that was broken, e.g. ``PATH_TRAVERSAL``."""
        self.reason = reason or self.code
        super().__init__(message, fix=fix)


class InvalidManifest(InvalidArchive):
    """manifest.json does not follow the schema."""

    code = "INVALID_MANIFEST"


class InvalidImage(EvaluationError):
    """An image is not an 8-bit RGB PNG of the expected size."""

    code = "INVALID_IMAGE"


class InvalidPairs(EvaluationError):
    """The pairs file does not follow the schema."""

    code = "INVALID_PAIRS"


class InvalidSuite(EvaluationError):
    """The metric suite is unknown or its file was changed."""

    code = "INVALID_SUITE"


class WeightsMissing(EvaluationError):
    """A weight file that a network needs is not on this machine."""

    code = "WEIGHTS_MISSING"


class WeightsCorrupt(EvaluationError):
    """A weight file is not the one that was published: its sha256 differs."""

    code = "WEIGHTS_CORRUPT"


class InvalidTensor(EvaluationError):
    """A metric was given a tensor with the wrong shape, dtype or range."""

    code = "INVALID_TENSOR"


class InvalidReport(EvaluationError):
    """The file is not a report of this library."""

    code = "INVALID_REPORT"


class GenerationError(EvaluationError):
    """The generator did not deliver; `code` is one of the failure codes of `evaluation.failures`."""

    code = "CRASHED"

    def __init__(self, code: str, message: str = "", *, fix: str = "") -> None:
        """Carry one failure code of `evaluation.failures` with a sentence about this occurrence."""
        self.code = code
        super().__init__(message, fix=fix)


class SandboxUnavailable(EvaluationError):
    """No working sandbox on this machine, so no untrusted generator may run here."""

    code = "SANDBOX_UNAVAILABLE"
