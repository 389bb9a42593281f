"""Whose wrong passwords are counted together, and how long a pause lasts."""

from collections.abc import Mapping
from ipaddress import ip_address

from allauth.account.models import EmailAddress
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.throttling import BaseThrottle

UNKNOWN = "::"  # callers without an address, as behind a local socket, are counted together
LONGEST_NAME = 255


def client_address(request: HttpRequest) -> str:
    """Return where a request comes from, as the API counts it: behind `PASTICHE_PROXIES` proxies."""
    try:
        return str(ip_address(str(BaseThrottle().get_ident(request)).strip()))  # type: ignore[arg-type]
    except ValueError:
        return UNKNOWN


def account_of(request: HttpRequest, credentials: Mapping[str, object] | None) -> str:
    """Name the account that somebody tries to enter; name and e-mail address of one person are one account."""
    tried = credentials or {}
    typed = tried.get("username") or tried.get("email") or request.POST.get("login", "")
    name = str(typed).strip().lower().replace("\0", "")[:LONGEST_NAME]
    owner = EmailAddress.objects.filter(email=name).values_list("user__username", flat=True).first()
    return str(owner or name).lower()


def pause_left(request: HttpRequest, credentials: Mapping[str, object] | None) -> int:
    """Return for how many seconds the account waits, seen from this address; 0 for none."""
    failures = AccessAttempt.objects.filter(
        username=account_of(request, credentials), ip_address=client_address(request)
    )
    newest = failures.order_by("-attempt_time").values_list("attempt_time", flat=True).first()
    pause = get_cool_off(request)
    if newest is None or pause is None:
        return 0
    return max(0, round((newest + pause - timezone.now()).total_seconds()))
