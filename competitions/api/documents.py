"""The contract itself: the OpenAPI document, and a page to read and try it that needs no other site."""

from functools import cache
from typing import Any

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competitions.api.base import ApiView
from competitions.api.throttles import RequestThrottle
from competitions.errors import NotFound

# The package's page has a few lines of style within it, and small drawings within its style sheet.
SWAGGER_STYLE = "'sha256-MMpT0iDxyjALd9PdfepImGX3DBfJPXZ4IlDWdPAgtn0='"


@cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document, which is the same for everybody; making it takes a moment."""
    return dict(SchemaGenerator().get_schema(request=None, public=True))


class _Document(APIView):
    """What both views of the document share; their refusals are JSON, as everywhere."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (RequestThrottle,)
    metadata_class = None
    http_method_names = ["get", "head"]
    schema = None

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Choose how to write the answer."""
        if response.exception:
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().finalize_response(request, response, *args, **kwargs)


class Schema(_Document, SpectacularAPIView):
    """The OpenAPI document, in YAML or in JSON."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show the document."""
        return Response(document())


@method_decorator(csp_update({"img-src": ["data:"], "style-src": [SWAGGER_STYLE]}), name="dispatch")
class Swagger(_Document, SpectacularSwaggerSplitView):
    """A page that shows the document; its script comes by an address of its own, as the content policy asks."""

    url_name = "api_schema"


class UnknownAddress(ApiView):
    """Every other address below /api/."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404, whatever the method."""
        fix = "" if request.path.endswith("/") else "Addresses end with a slash."
        raise NotFound("The API has no such address.", fix=fix)
