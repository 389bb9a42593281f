"""Every error that the command line raises on purpose, each with the exit status it ends with."""

from collections.abc import Mapping

from pastiche.language import say


class PasticheError(Exception):
    """The command could not be carried out."""

    code = "USAGE"
    exit_code = 2

    def __init__(
        self, message: str = "", *, fix: str = "", code: str = "", fields: Mapping[str, str] | None = None
    ) -> None:
        """Keep the message (default: the class docstring), what to do about it, and the server's code."""
        self.message = message or say(" ".join((self.__doc__ or "").split()))
        self.fix = fix
        self.code = code or self.code
        self.fields = dict(fields or {})
        super().__init__(self.message)


class Refused(PasticheError):
    """The server refused the request."""

    code = "REFUSED"


class ConfigError(PasticheError):
    """The settings cannot be read."""

    code = "CONFIG"


class FolderError(PasticheError):
    """The folder cannot be used."""

    code = "FOLDER"


class EvaluationMissing(PasticheError):
    """Scoring needs torch, which is not installed here."""

    code = "EVALUATION_MISSING"


class LoginNeeded(PasticheError):
    """You are not logged in."""

    code = "NOT_SIGNED_IN"
    exit_code = 3


class CheckFailed(PasticheError):
    """The archive would be refused."""

    code = "INVALID_BUNDLE"
    exit_code = 4


class RunFailed(PasticheError):
    """The run ended without a result."""

    code = "RUN_FAILED"
    exit_code = 5


class Stopped(PasticheError):
    """You stopped watching; the run goes on."""

    code = "STOPPED"
    exit_code = 130


class NetworkError(PasticheError):
    """The server could not be reached; the command can be repeated safely."""

    code = "NETWORK"
    exit_code = 6
