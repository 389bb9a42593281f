"""Remember the answers to requests that make things, so that the same request sent again makes nothing."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts.models import User
from competitions.clock import in_seconds
from competitions.errors import KeyBusy, KeyReused
from competitions.models import IdempotencyKey

KEPT_SECONDS = 24 * 3600
LOST_SECONDS = 900  # a request that takes longer has died with its process


@dataclass(frozen=True)
class Kept:
    """The answer to the first request with a key."""

    status: int
    body: str


def begin(*, user: User, key: str, fingerprint: str) -> Kept | None:
    """Take the key for a request, and return None; or return what the same request was answered.

    Raises:
        KeyReused: the key belongs to another request.
        KeyBusy: the first request is still under way.
    """
    keys = IdempotencyKey.objects.filter(user=user, key=key)
    keys.filter(created_at__lt=in_seconds(-KEPT_SECONDS)).delete()
    keys.filter(status=None, created_at__lt=in_seconds(-LOST_SECONDS)).delete()
    try:
        with transaction.atomic():
            IdempotencyKey.objects.create(user=user, key=key, fingerprint=fingerprint)
            return None
    except IntegrityError:
        known = keys.first()
    if known is None or known.fingerprint == fingerprint and known.status is None:
        raise KeyBusy
    if known.fingerprint != fingerprint:
        raise KeyReused
    return Kept(known.status or 0, known.body)


def keep(*, user: User, key: str, answer: Kept) -> None:
    """Write the answer down."""
    IdempotencyKey.objects.filter(user=user, key=key).update(status=answer.status, body=answer.body)


def forget(*, user: User, key: str) -> None:
    """Free the key of a request that made nothing."""
    IdempotencyKey.objects.filter(user=user, key=key, status=None).delete()


def sweep() -> None:
    """Remove keys that are older than a day."""
    IdempotencyKey.objects.filter(created_at__lt=in_seconds(-KEPT_SECONDS)).delete()
