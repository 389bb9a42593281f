"""Who calls: a token in the Authorization header, and a brake on guessing passwords."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.tokens import TokenRefused, token_in


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token <key>` (or `Bearer <key>`); a key that does not work is refused, not ignored."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the user and the token, or None where the request carries no token."""
        try:
            token = token_in(request.headers.get("Authorization", ""))
        except TokenRefused as error:
            raise AuthenticationFailed(str(error)) from error
        return (token.user, token) if token else None

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme that an answer 401 asks for."""
        return "Token"
