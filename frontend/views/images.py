"""Serve images of public pairs; a selector decides who sees what, files lie outside every public address."""

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.views.decorators.http import require_safe

from competitions.errors import NotFound
from competitions.selectors import files
from competitions.selectors.access import Viewer
from competitions.storage import open_file

# One hour, although images never change: on a machine whose data folder was made anew, keys begin at 1 again.
FOR_EVERYBODY = "public, max-age=3600, immutable"
FOR_THE_VIEWER = "private, no-cache"


@require_safe
def pair_image(request: HttpRequest, pair_pk: int, side: str) -> HttpResponseBase:
    """Serve the content or style image of a public pair."""
    return _serve(request, lambda viewer: files.pair_image(pair_pk, side, viewer))


@require_safe
def output_image(request: HttpRequest, run_id: UUID, pair_pk: int) -> HttpResponseBase:
    """Serve the stylized image that a run made for a public pair."""
    return _serve(request, lambda viewer: files.output_image(run_id, pair_pk, viewer))


def _serve(request: HttpRequest, find_digest: Callable[[Viewer], str]) -> HttpResponseBase:
    """Send the file; what strangers may see too may be kept by caches, the rest is asked for each time."""
    try:
        digest, caching = find_digest(AnonymousUser()), FOR_EVERYBODY
    except NotFound:
        digest, caching = find_digest(request.user), FOR_THE_VIEWER
    tag = f'"{digest}"'
    response: HttpResponse | FileResponse
    if tag in request.headers.get("If-None-Match", ""):
        response = HttpResponseNotModified()
    else:
        response = FileResponse(open_file(digest), content_type="image/png")
    for name, value in (("ETag", tag), ("Cache-Control", caching), ("X-Content-Type-Options", "nosniff")):
        response[name] = value
    return response
