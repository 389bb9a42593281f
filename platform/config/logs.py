"""How log lines look, for people or for machines, and what never gets into one."""

import json
import logging
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from pythonjsonlogger.json import JsonFormatter

SHORTEST_SECRET = 4  # anything shorter would blacken half of every line
HIDDEN = "[hidden]"
QUIET = (
    *("kombu", "amqp", "celery.beat", "botocore", "boto3", "s3transfer", "urllib3", "axes"),
    # A nudge that came and went is no news.
    *("celery.app.trace", "celery.worker.strategy", "celery.worker.request"),
)
# What a signed link to the object storage proves, and what a caller proves; whoever reads it could use it.
_PROOF = re.compile(r"(X-Amz-(?:Signature|Credential|Security-Token)=|\bBearer )[^\s&\"'\\]+", re.IGNORECASE)


class Redaction:
    """Takes the values of secret settings out of texts, however they were quoted."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare for these secrets."""
        forms = {
            form
            for secret in secrets
            if len(secret) >= SHORTEST_SECRET
            for form in (secret, json.dumps(secret)[1:-1], repr(secret)[1:-1], quote(secret, safe=""))
        }
        longest_first = sorted(forms, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def __call__(self, text: str) -> str:
        """Return the text with every secret hidden."""
        text = _PROOF.sub(rf"\g<1>{HIDDEN}", text)
        return self._secrets.sub(HIDDEN, text) if self._secrets else text


class LineFormatter(logging.Formatter):
    """One line for people; a line break within a message cannot pass for a line of its own."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare to hide secrets."""
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(run_and_message)s")
        self._redact = Redaction(secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Put the run before the message."""
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        run = getattr(record, "run", "")
        record.__dict__["run_and_message"] = f"run {run}: {message}" if run else message
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Hide secrets in all of it, tracebacks included."""
        return self._redact(super().format(record))


class JsonLines(JsonFormatter):
    """One JSON object a line: time, level, logger, message, process, and the run where there is one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare to hide secrets."""
        super().__init__(
            "{levelname}{name}{message}{process}",
            style="{",
            timestamp="time",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "traceback"},
        )
        self._redact = Redaction(secrets)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Hide secrets in texts before they are quoted once more."""
        return {
            name: self._redact_within(value) for name, value in super().process_log_record(log_data).items()
        }

    def format(self, record: logging.LogRecord) -> str:
        """Hide secrets in what only became text by being written."""
        return self._redact(super().format(record))

    def _redact_within(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._redact(value)
        if isinstance(value, dict):
            return {name: self._redact_within(part) for name, part in value.items()}
        return [self._redact_within(part) for part in value] if isinstance(value, list | tuple) else value


def configuration(level: str, form: str, *, secrets: Iterable[str], has_access_log: bool) -> dict[str, Any]:
    """Return the logging configuration that web server, workers and scheduler share."""
    formatter = JsonLines if form == "json" else LineFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"run": {"()": "competitions.run_log.RunFilter"}},
        "formatters": {"chosen": {"()": formatter, "secrets": list(secrets)}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "chosen", "filters": ["run"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {name: {"level": "WARNING"} for name in QUIET}
        | {
            "django.request": {"level": "ERROR"},  # callers are told what they did wrong, not the operator
            "gunicorn.error": {"level": "WARNING", "propagate": True},
            "gunicorn.access": {"level": "INFO" if has_access_log else "WARNING", "propagate": True},
        },
    }
