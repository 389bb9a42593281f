"""The platform's addresses, and one view that returns a constant: what the framework alone costs."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.urls import urlpatterns as of_the_platform

CONTENT = b'{"ok": true}'


def constant(request: HttpRequest) -> HttpResponse:
    """Answer the same to everybody, through all of the middleware."""
    return HttpResponse(CONTENT, content_type="application/json")


urlpatterns = [path("constant/", constant), *of_the_platform]
