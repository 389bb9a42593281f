"""What every page has in common: the content policy, and errors of the domain shown as pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from competitions.errors import CompetitionError
from frontend.views.errors import competition_error_page

POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)
# The stock admin and the API bring their own pages; neither shows what a stranger has written unescaped.
WITHOUT_POLICY = ("/admin/", "/api/")

Handler = Callable[[HttpRequest], HttpResponse]


class ContentSecurityPolicy:
    """Forbid inline scripts, inline styles and everything that another site serves."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Set the header."""
        response = self.get_response(request)
        if not request.path.startswith(WITHOUT_POLICY):
            response.headers["Content-Security-Policy"] = POLICY
        return response


class CompetitionErrorPages:
    """Show an error that the domain raises on purpose as a page with code, sentence and advice."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Translate the errors of the domain; anything else is a bug and rises."""
        if isinstance(exception, CompetitionError):
            return competition_error_page(request, exception)
        return None
