"""Who calls: a token in the Authorization header, and a brake on guessing passwords."""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.services import use_token

SCHEMES = (b"token", b"bearer")


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token <key>` (or `Bearer <key>`); a key that does not work is refused, not ignored."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the user and the token, or None where the request carries no token."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() not in SCHEMES:
            return None
        if len(words) != 2:
            raise AuthenticationFailed("The Authorization header must hold one token without spaces.")
        token = use_token(key=words[1].decode("ascii", "replace"))
        if token is None:
            raise AuthenticationFailed("This token is unknown, has expired or has been revoked.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme that an answer 401 asks for."""
        return "Token"
