"""Errors in the frame of the site: 400, 403, 404, 413, 500, and those that the domain raises on purpose."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from competitions.errors import CompetitionError, NotAllowed, NotATeamMember, NotFound, UploadTooLarge
from frontend.explain import explain

STATUS: dict[type[CompetitionError], int] = {
    NotFound: 404,
    NotAllowed: 403,
    NotATeamMember: 403,
    UploadTooLarge: 413,
}


def competition_error_page(request: HttpRequest, error: CompetitionError) -> HttpResponse:
    """Show an error of the domain with its code, sentence and advice."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    return _page(request, status, explanation=explain(error))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that makes no sense."""
    return _page(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that the viewer may not make."""
    return _page(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request for a page that does not exist."""
    return _page(request, 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that was not sent from a page of this site."""
    return _page(
        request,
        403,
        hint=_("The form was too old or came from another site. Reload the page and send it again."),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer after a bug; the page asks the database nothing, since that may be what failed."""
    return HttpResponse(
        render_to_string("frontend/error.html", {"status": 500, "title": _title(500)}), status=500
    )


def _page(request: HttpRequest, status: int, **context: object) -> HttpResponse:
    context |= {"status": status, "title": _title(status)}
    return render(request, "frontend/error.html", context, status=status)


def _title(status: int) -> str:
    titles = {
        400: _("This request cannot be carried out"),
        403: _("You may not do this"),
        404: _("This page does not exist"),
        413: _("This request is too large"),
        500: _("Something broke on our side"),
    }
    return titles[status]
