"""Who looks at a page, and what every page is told."""

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from competitions.errors import NotAllowed


def signed_in_user(request: HttpRequest) -> User:
    """Return the user of a request that a sign-in guards already; anybody else is refused."""
    if not isinstance(request.user, User):
        raise NotAllowed
    return request.user


def mail(request: HttpRequest) -> dict[str, bool]:
    """Tell templates whether mail leaves this machine."""
    return {"sends_mail": settings.SENDS_MAIL}
