"""What every page has in common: a bound on bodies, and errors of the domain shown as pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop

from competitions.body_size import form_limit, refuse_large_body, upload_limit
from competitions.errors import CompetitionError, UploadTooLarge
from frontend.views.errors import competition_error_page

# The API bounds its bodies itself, and answers in JSON.
WITH_OWN_BOUND = "/api/"
TAKE_FILES = ("submit", "data_upload")
NO_ARCHIVE_HERE = gettext_noop(
    "Archives are taken on the submit page of a competition only, from those who have signed in."
)

Handler = Callable[[HttpRequest], HttpResponse]


class BodySizeLimit:
    """Refuse large bodies before anything reads them; the check against forged forms would be the first."""

    def __init__(self, get_response: Handler) -> None:
        """Keep the next handler."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Handler, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        """Look at the announced length once it is known who asks for which page."""
        if request.path.startswith(WITH_OWN_BOUND):
            return None
        match = request.resolver_match
        takes_archives = match is not None and match.view_name in TAKE_FILES and request.user.is_authenticated
        limit, fix = (upload_limit(), "") if takes_archives else (form_limit(), NO_ARCHIVE_HERE)
        try:
            refuse_large_body(request.META, limit=limit, fix=fix)
        except UploadTooLarge as error:
            return competition_error_page(request, error)
        return None


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
