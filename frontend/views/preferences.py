"""What a reader chooses for eyes and hands; kept in cookies, so it works without an account."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

THEMES = ("system", "light", "dark")
ONE_YEAR = 365 * 24 * 3600


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Choose light, dark, or what the system says, and go back to the page."""
    return _keep(request, "theme", THEMES)


@require_POST
def set_shortcuts(request: HttpRequest) -> HttpResponse:
    """Switch the single keys on or off, and go back to the page: speech input presses them by mistake."""
    return _keep(request, "shortcuts", ("on", "off"))


def _keep(request: HttpRequest, name: str, choices: tuple[str, ...]) -> HttpResponse:
    """Keep one of the choices in a cookie of that name; anything else changes nothing."""
    response = redirect(_next_url(request))
    value = request.POST.get(name, "")
    if value in choices:
        response.set_cookie(name, value, max_age=ONE_YEAR, samesite="Lax", secure=request.is_secure())
    return response


def _next_url(request: HttpRequest) -> str:
    """Return the page to go back to, if it is one of ours."""
    url = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if is_ours else "/"
