"""How large the body of a request may be, for the API and the pages alike."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from competitions.errors import UploadTooLarge

FORM_OVERHEAD = 2**20  # what the other fields and the boundaries of an upload may take


def form_limit() -> int:
    """Return how many bytes a request without an archive may have."""
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


def upload_limit() -> int:
    """Return how many bytes an upload may have, with the form around the archive."""
    return settings.MAX_ARCHIVE_MB * 2**20 + FORM_OVERHEAD


def refuse_large_body(headers: Mapping[str, Any], *, limit: int, fix: str = "") -> None:
    """Refuse a body by its announced length, before a byte of it is read.

    No more than announced is ever read (a chunked body, which announces nothing, counts as empty), so this
    bounds memory and disk whatever the format.
    """
    length = str(headers.get("CONTENT_LENGTH") or "")
    size = int(length) if length.isdecimal() else 0
    if size > limit:
        raise UploadTooLarge(
            f"The request has {size / 2**20:.1f} MB; at most {limit // 2**20} MB are taken here.", fix=fix
        )
