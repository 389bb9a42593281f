"""Who calls, by the token in the header Authorization."""

from accounts.models import ApiToken
from accounts.services import use_token

SCHEMES = ("token", "bearer")


class TokenRefused(Exception):
    """The header holds no token that works; the message is safe to show."""


def token_in(header: str) -> ApiToken | None:
    """Return the token of a header `Token KEY` or `Bearer KEY`; None where the header holds something else.

    Raises:
        TokenRefused: a token is sent and does not work; it is refused, not ignored.
    """
    words = header.split()
    if not words or words[0].lower() not in SCHEMES:
        return None
    if len(words) != 2:
        raise TokenRefused("The Authorization header must hold one token without spaces.")
    token = use_token(key=words[1])
    if token is None:
        raise TokenRefused("This token is unknown, has expired or has been revoked.")
    return token
