"""Errors in the frame of the site: 400, 403, 404, 413, 429, 500, and those that the domain raises on purpose."""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.throttling import pause_left
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


def too_many_requests(request: HttpRequest) -> HttpResponse:
    """Answer who sends too many forms in a short time."""
    return _page(
        request, 429, hint=_("You have sent this form too often. Wait some minutes, then try again.")
    )


def too_many_sign_ins(
    request: HttpRequest, response: HttpResponse | None, credentials: Mapping[str, object] | None
) -> HttpResponse:
    """Answer who has tried too many passwords: with the time to wait, as a page or for a program."""
    seconds = pause_left(request, credentials)
    minutes = max(1, -(-seconds // 60))
    told = ngettext(
        "Too many wrong passwords for this account. Try again in {minutes} minute.",
        "Too many wrong passwords for this account. Try again in {minutes} minutes.",
        minutes,
    ).format(minutes=minutes)
    if request.path.startswith("/api/"):
        error = {
            "code": "TOO_MANY_SIGN_INS",
            "message": "Too many wrong passwords for this account.",
            "fix": f"Try again in {seconds} seconds.",
            "fields": {},
        }
        answer: HttpResponse = JsonResponse({"error": error}, status=429)
    else:
        fix = _("If you have forgotten the password, set a new one: that works at once.")
        answer = _page(request, 429, hint=told, fix=fix)
    answer["Retry-After"] = str(seconds)
    return answer


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
        429: _("Too many tries"),
        500: _("Something broke on our side"),
    }
    return titles[status]
