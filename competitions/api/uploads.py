"""Files that are sent in parts: announce, send each part with its digest in any order, finish."""

import base64
import re
from typing import IO, Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiRequest
from rest_framework import serializers
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from competitions.api import requests
from competitions.api.base import ApiView, answer_page, caller
from competitions.api.contract import describe
from competitions.api.idempotency import idempotent
from competitions.api.shapes import UtcField, page_shape
from competitions.api.throttles import PartThrottle
from competitions.errors import InvalidInput
from competitions.parts import PART_BYTES
from competitions.selectors.paging import page_of
from competitions.selectors.uploads import get_upload, known_uploads, room, upload_views
from competitions.services.uploads import (
    Part,
    UploadPlan,
    delete_upload,
    finish_upload,
    put_part,
    start_upload,
)

OCTETS = "application/octet-stream"
DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")
DIGEST_PARAMETER = OpenApiParameter(
    "Content-Digest",
    {"type": "string", "pattern": r"^sha-256=:[A-Za-z0-9+/]{43}=:$"},
    OpenApiParameter.HEADER,
    required=True,
    description="The SHA-256 digest of this part in Base64, as RFC 9530 writes it.",
)
PART_BODY = {
    OCTETS: OpenApiRequest(
        OpenApiTypes.BINARY,
        examples=[OpenApiExample("Example", value="(the bytes of the part)", request_only=True)],
    )
}


class UploadSerializer(serializers.Serializer):
    """An upload; `missing` are the offsets of the parts that have not arrived.

    `state`: open takes parts, finished can be submitted, rejected was another file than announced.
    """

    id = serializers.UUIDField()
    kind = serializers.CharField()
    state = serializers.CharField()
    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    received = serializers.IntegerField()
    missing = serializers.ListField(child=serializers.IntegerField())
    part_bytes = serializers.IntegerField()
    created_at = UtcField()
    expires_at = UtcField()


class RoomSerializer(serializers.Serializer):
    """How many bytes the caller's uploads may have together and have now, and the largest file that is taken."""

    limit = serializers.IntegerField()
    used = serializers.IntegerField()
    left = serializers.IntegerField()
    largest = serializers.IntegerField()
    part_bytes = serializers.IntegerField()
    hours = serializers.IntegerField()


class OctetParser(BaseParser):
    """Takes the body as it is; its announced length was looked at before."""

    media_type = OCTETS

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """Read the whole body."""
        return stream.read()


class Uploads(ApiView):
    """The caller's uploads."""

    permission_classes = (IsAuthenticated,)
    parser_classes = (JSONParser,)

    @describe("listUploads", {200: page_shape(UploadSerializer)}, query=requests.PageQuery)
    def get(self, request: Request) -> Response:
        """List the uploads that have not expired, newest first."""
        page = page_of(known_uploads(caller(request)), self.window(), ("-created_at", "-pk"))
        return answer_page(page, UploadSerializer, request, rows=upload_views(page.rows))

    @describe(
        "createUpload",
        {201: UploadSerializer},
        body=requests.NewUpload,
        example={
            "kind": "archive",
            "size": 20_000_000,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "manifest": {
                "schema": 1,
                "name": "wider-decoder",
                "version": "1.0.0",
                "format": "python",
                "entry": "model:Model",
                "runtime": "py311-torch215",
                "io": {"dtype": "uint8", "layout": "HWC", "max_side": 512},
                "license": "MIT",
            },
        },
        refusals=(422,),
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Announce a file; its manifest is checked and room is made before a byte of it is sent."""
        plan = UploadPlan(**requests.read_body(requests.NewUpload, request))
        user = caller(request)
        upload = start_upload(user=user, plan=plan)
        return Response(UploadSerializer(get_upload(upload.pk, user)).data, status=201)


class Room(ApiView):
    """What the caller can send."""

    permission_classes = (IsAuthenticated,)

    @describe("getUploadRoom", {200: RoomSerializer})
    def get(self, request: Request) -> Response:
        """Show how much room is left for uploads, and how files are cut into parts."""
        return Response(RoomSerializer(room(caller(request))).data)


class Upload(ApiView):
    """One of the caller's uploads."""

    permission_classes = (IsAuthenticated,)

    @describe("getUpload", {200: UploadSerializer})
    def get(self, request: Request, upload_id: str) -> Response:
        """Show an upload: after an interruption, send what is missing."""
        return Response(UploadSerializer(get_upload(requests.read_id(upload_id), caller(request))).data)

    @describe("deleteUpload", {204: None}, refusals=(409,))
    def delete(self, request: Request, upload_id: str) -> Response:
        """Throw an upload away; submissions made of it stay, and one whose pictures are looked at is kept."""
        delete_upload(upload_id=requests.read_id(upload_id), user=caller(request))
        return Response(status=204)


class UploadPart(ApiView):
    """One part of a file: of 8 MiB, but for the last one."""

    permission_classes = (IsAuthenticated,)
    parser_classes = (OctetParser,)
    throttle_classes = (PartThrottle,)

    def body_limit(self) -> int:
        """Return how many bytes a part may have."""
        return PART_BYTES

    @describe(
        "putUploadPart",
        {200: UploadSerializer},
        body=PART_BODY,
        headers=[DIGEST_PARAMETER],
        refusals=(409, 422),
    )
    def put(self, request: Request, upload_id: str, offset: int) -> Response:
        """Send the part at an offset; sending it again changes nothing."""
        key, user = requests.read_id(upload_id), caller(request)
        content = request.data if isinstance(request.data, bytes) else b""
        found = DIGEST.fullmatch(request.headers.get("Content-Digest", ""))
        if found is None:
            raise InvalidInput(
                "The header Content-Digest is missing or malformed.",
                fix="Send the SHA-256 digest of the part: `Content-Digest: sha-256=:BASE64:`.",
            )
        sha256 = base64.b64decode(found[1]).hex()
        put_part(upload_id=key, user=user, part=Part(offset, content, sha256))
        return Response(UploadSerializer(get_upload(key, user)).data)


class FinishUpload(ApiView):
    """The end of an upload."""

    permission_classes = (IsAuthenticated,)

    @describe("finishUpload", {200: UploadSerializer}, refusals=(409, 422))
    def post(self, request: Request, upload_id: str) -> Response:
        """Compare the whole file with what was announced; asking again changes nothing."""
        requests.read_body(requests.Nothing, request)
        key, user = requests.read_id(upload_id), caller(request)
        finish_upload(upload_id=key, user=user)
        return Response(UploadSerializer(get_upload(key, user)).data)
