"""The state of the platform, the guides, and a page for each failure code."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from competitions.selectors import status as selectors
from evaluation.failures import FAILURES


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Show queue and workers, and why something waits."""
    return render(request, "frontend/status.html", {"status": selectors.status()})


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """Guide those who look around, take part, or run a competition."""
    return render(request, "frontend/help.html", {"failures": list(FAILURES.values())})


@require_safe
def failure_list(request: HttpRequest) -> HttpResponse:
    """List every reason for which a run can fail."""
    return render(request, "frontend/failure_list.html", {"failures": list(FAILURES.values())})


@require_safe
def failure_help(request: HttpRequest, code: str) -> HttpResponse:
    """Explain one failure code."""
    failure = FAILURES.get(code)
    if failure is None:
        raise Http404
    return render(request, "frontend/failure_help.html", {"failure": failure})
