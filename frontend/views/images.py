"""Serve images of public pairs; a selector decides who sees what, files lie outside every public address."""

from collections.abc import Callable
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.views.decorators.http import require_safe

from accounts.models import ApiToken
from accounts.tokens import TokenRefused, token_in
from competitions.errors import NotAllowed, NotFound
from competitions.selectors import files
from competitions.selectors.access import Viewer
from competitions.storage import open_file
from competitions.thumbnails import RECIPE, WIDTHS, read_thumbnail

# One hour, although images never change: on a machine whose data folder was made anew, keys begin at 1 again.
FOR_EVERYBODY = "public, max-age=3600, immutable"
FOR_THE_VIEWER = "private, no-cache"


@require_safe
def pair_image(request: HttpRequest, pair_pk: int, side: str, width: int | None = None) -> HttpResponseBase:
    """Serve the content or style image of a public pair: as it is, or a small copy of that width."""
    return _serve(request, lambda viewer: files.pair_image(pair_pk, side, viewer), width)


@require_safe
def output_image(
    request: HttpRequest, run_id: UUID, pair_pk: int, width: int | None = None
) -> HttpResponseBase:
    """Serve the stylized image that a run made for a public pair: as it is, or a small copy of that width."""
    return _serve(request, lambda viewer: files.output_image(run_id, pair_pk, viewer), width)


def _serve(request: HttpRequest, find_digest: Callable[[Viewer], str], width: int | None) -> HttpResponseBase:
    """Send the file; what strangers may see too may be kept by caches, the rest is asked for each time.

    Programs, which the API gives these addresses, send their token as they do there.
    """
    if width is not None and width not in WIDTHS:
        raise NotFound("There is no copy of that width.", fix=f"Widths: {', '.join(map(str, WIDTHS))}.")
    try:
        digest, caching = find_digest(AnonymousUser()), FOR_EVERYBODY
    except NotFound:
        try:
            digest, caching = find_digest(_viewer(request)), FOR_THE_VIEWER
        except TokenRefused as error:
            return HttpResponse(f"{error}\n", "text/plain", 401, headers={"WWW-Authenticate": "Token"})
    tag = f'"{digest}"' if width is None else f'"{digest}-{width}-{RECIPE}"'
    response: HttpResponse | FileResponse
    if tag in request.headers.get("If-None-Match", ""):
        response = HttpResponseNotModified()
    elif width is None:
        response = FileResponse(open_file(digest), content_type="image/png")
    else:
        response = HttpResponse(read_thumbnail(digest, width), content_type="image/webp")
    for name, value in (("ETag", tag), ("Cache-Control", caching), ("X-Content-Type-Options", "nosniff")):
        response[name] = value
    return response


def _viewer(request: HttpRequest) -> Viewer:
    """Return the user of the token, or who is signed in where none is sent."""
    token = token_in(request.headers.get("Authorization", ""))
    if token is None:
        return request.user
    if not token.allows(ApiToken.Scope.READ):
        raise NotAllowed(f'The token "{token.name}" may not read.', fix='Make a token with the scope "read".')
    return token.user
