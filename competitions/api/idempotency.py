"""Requests that may be sent twice: with an `Idempotency-Key` the second one gets the first one's answer."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from competitions.api.base import ApiView, caller
from competitions.errors import InvalidInput
from competitions.services import idempotency

KEY = re.compile(r"[!-~]{1,255}")
REPLAYED = "Idempotency-Replayed"


def idempotent(handler: Callable[..., Response]) -> Callable[..., Response]:
    """Have a method of a view answer a repeated request with what the first one was answered.

    Refusals are not kept: once their cause is gone, the same request may succeed.
    """

    @wraps(handler)
    def answer(view: ApiView, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not KEY.fullmatch(key):
            raise InvalidInput("An Idempotency-Key has 1 to 255 visible ASCII characters.")
        user = caller(request)
        kept = idempotency.begin(user=user, key=key, fingerprint=_fingerprint(request))
        if kept is not None:
            return Response(json.loads(kept.body), status=kept.status, headers={REPLAYED: "true"})
        try:
            response = handler(view, request, *args, **kwargs)
            body = JSONRenderer().render(response.data).decode()
            idempotency.keep(user=user, key=key, answer=idempotency.Kept(response.status_code, body))
        except BaseException:
            idempotency.forget(user=user, key=key)
            raise
        return response

    answer.is_idempotent = True  # type: ignore[attr-defined]
    return answer


def _fingerprint(request: Request) -> str:
    """Condense what is asked for: method, address, and the body whatever way it is written."""
    data = request.data
    fields = {name: _condense(value) for name, value in data.items()} if isinstance(data, Mapping) else data
    text = json.dumps([request.method, request.path, fields], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _condense(value: object) -> object:
    if not isinstance(value, UploadedFile):
        return value
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return f"file {digest.hexdigest()}"
