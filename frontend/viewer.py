"""Who looks at a page."""

from django.http import HttpRequest

from accounts.models import User
from competitions.errors import NotAllowed


def signed_in_user(request: HttpRequest) -> User:
    """Return the user of a request that a sign-in guards already; anybody else is refused."""
    if not isinstance(request.user, User):
        raise NotAllowed
    return request.user
