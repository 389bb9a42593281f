"""How errors leave the API: the one place that decides HTTP status, and the one shape of an error body."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from competitions.errors import CompetitionError, QuotaExceeded

logger = logging.getLogger(__name__)

STATUS = {
    "ADDRESS_UNCHECKED": 403,
    "COMPETITION_ERROR": 400,
    "INVALID_INPUT": 400,
    "NOT_COMPARABLE": 400,
    "NO_BASELINES": 500,
    "NOT_ALLOWED": 403,
    "NOT_A_TEAM_MEMBER": 403,
    "PHASE_CLOSED": 403,
    "SCOPE_MISSING": 403,
    "NOT_FOUND": 404,
    "DUPLICATE_SUBMISSION": 409,
    "ILLEGAL_TRANSITION": 409,
    "LOCKED_SINCE_PUBLISHED": 409,
    "IDEMPOTENCY_KEY_BUSY": 409,
    "PART_CONFLICT": 409,
    "SLICE_TOO_THIN": 409,
    "STALE_FENCE": 409,
    "TOO_MANY_FINALS": 409,
    "TOO_MANY_WEBHOOKS": 409,
    "UPLOAD_CLOSED": 409,
    "UPLOAD_INCOMPLETE": 409,
    "UPLOAD_QUOTA_EXCEEDED": 413,
    "UPLOAD_TOO_LARGE": 413,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "INVALID_BUNDLE": 422,
    "INVALID_COMPETITION_FILE": 422,
    "INVALID_DATASET": 422,
    "PART_REFUSED": 422,
    "UPLOAD_KIND": 422,
    "UPLOAD_MISMATCH": 422,
    "WEBHOOK_ADDRESS_REFUSED": 422,
    "QUOTA_EXCEEDED": 429,
}
SIGN_IN = "Send the header `Authorization: Token <token>`; `pastiche login` makes a token."


@dataclass(frozen=True)
class Problem:
    """An error on its way out."""

    status: int
    code: str
    message: str
    fix: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def handle_exception(error: Exception, context: Mapping[str, object]) -> Response:
    """Turn any error into a response; one that nobody foresaw is logged and shown without detail."""
    problem = _problem(error)
    if problem is None:
        request = getattr(context.get("request"), "_request", None)
        logger.error("Internal error at %s", getattr(request, "path", "?"), exc_info=error)
        # What Django sends for errors that rise: test clients and error collectors listen to it.
        got_request_exception.send(sender=handle_exception, request=request)
        problem = Problem(500, "INTERNAL_ERROR", "The platform failed.", fix="Try again later.")
    set_rollback()
    body = {key: getattr(problem, key) for key in ("code", "message", "fix", "fields")}
    return Response({"error": body}, status=problem.status, headers=dict(problem.headers))


def _problem(error: Exception) -> Problem | None:
    if isinstance(error, CompetitionError):
        status = STATUS.get(error.code, 400)
        return Problem(status, error.code, error.message, error.fix, error.fields, _retry_after(error))
    if isinstance(error, Http404):
        return Problem(404, "NOT_FOUND", "There is no such thing, or you may not see it.")
    if isinstance(error, DjangoPermissionDenied | exceptions.PermissionDenied):
        return Problem(403, "NOT_ALLOWED", str(error) or "You may not do this.")
    if isinstance(error, DjangoValidationError):
        return _invalid(_flat(error.message_dict if hasattr(error, "error_dict") else error.messages))
    if isinstance(error, exceptions.ValidationError):
        return _invalid(_flat(error.detail))
    if isinstance(error, exceptions.APIException):
        return _framework_problem(error)
    return _broken_request(error)


def _framework_problem(error: exceptions.APIException) -> Problem | None:
    message = str(error.detail)
    if isinstance(error, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        return Problem(401, "NOT_SIGNED_IN", message, SIGN_IN, headers={"WWW-Authenticate": "Token"})
    if isinstance(error, exceptions.Throttled):
        seconds = ceil(getattr(error, "wait", None) or 60)
        fix = f"Try again in {seconds} seconds."
        return Problem(429, "TOO_MANY_REQUESTS", message, fix, headers={"Retry-After": str(seconds)})
    if isinstance(error, exceptions.MethodNotAllowed):
        return Problem(405, "METHOD_NOT_ALLOWED", message)
    if isinstance(error, exceptions.UnsupportedMediaType):
        return Problem(415, "UNSUPPORTED_MEDIA_TYPE", message)
    if isinstance(error, exceptions.NotAcceptable):
        return Problem(406, "NOT_ACCEPTABLE", message, "The API speaks application/json.")
    if isinstance(error, exceptions.ParseError):
        return Problem(400, "UNREADABLE_REQUEST", message)
    return None


def _broken_request(error: Exception) -> Problem | None:
    if isinstance(error, RequestDataTooBig):
        return Problem(413, "UPLOAD_TOO_LARGE", "The fields of the request are too large.")
    if isinstance(error, SuspiciousOperation):
        return Problem(400, "UNREADABLE_REQUEST", "The request is malformed.")
    if isinstance(error, UnreadablePostError):
        return Problem(400, "UNREADABLE_REQUEST", "The upload broke off.", fix="Send it again.")
    return None


def _invalid(fields: Mapping[str, str]) -> Problem:
    message = " ".join(f"{name}: {text}" if name else text for name, text in fields.items())
    named = {name: text for name, text in fields.items() if name}
    return Problem(400, "INVALID_INPUT", message, "Correct the fields named here.", named)


def _flat(detail: object) -> dict[str, str]:
    """Bring the nested details of both frameworks into one text per field; "" stands for the whole."""
    if isinstance(detail, Mapping):
        return {_field_name(name): " ".join(_flat(part).values()) for name, part in detail.items()}
    if isinstance(detail, list):
        return {"": " ".join(" ".join(_flat(part).values()) for part in detail)}
    return {"": str(detail)}


def _field_name(name: object) -> str:
    return "" if name in ("__all__", "non_field_errors") else str(name)


def _retry_after(error: CompetitionError) -> dict[str, str]:
    if not isinstance(error, QuotaExceeded) or error.retry_at is None:
        return {}
    return {"Retry-After": str(max(1, ceil((error.retry_at - timezone.now()).total_seconds())))}
