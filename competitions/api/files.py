"""Competitions as files: what organizers' programs export, compare and import."""

import tempfile
from contextlib import ExitStack

from django.conf import settings
from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken
from competitions.api import requests
from competitions.api.base import caller, need_scope
from competitions.api.contract import describe
from competitions.api.idempotency import idempotent
from competitions.api.moderation import Decision
from competitions.models import Upload
from competitions.selectors.uploads import content_of
from competitions.services.competition_files import check_file, import_zip, write_zip

ZIP = "application/zip"
EXAMPLE = {"upload": "0b4a1d2e-8f63-4c59-9a57-2f7f6f1c9e21"}
TOML = """schema = 1

[competition]
slug = "waves"
title = "Waves"

[limits]
memory_mb = 4096
"""


class ChangeSerializer(serializers.Serializer):
    """A field that becomes another; null: it is not there. `freedom`: free, told or locked after publishing."""

    section = serializers.CharField()
    field = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)
    freedom = serializers.CharField(allow_blank=True)


class DifferenceSerializer(serializers.Serializer):
    """What an import changes, or has changed."""

    slug = serializers.CharField()
    is_new = serializers.BooleanField()
    is_published = serializers.BooleanField()
    changes = ChangeSerializer(many=True)


class CompetitionFile(Decision):
    """A competition as a zip of competition.toml and its pictures, hidden ones too."""

    def check_scope(self, request: Request) -> None:
        """Refuse tokens that may only read: hidden pictures are in the file."""
        need_scope(request, ApiToken.Scope.ORGANIZE)

    @describe("exportCompetition", {(200, ZIP): OpenApiTypes.BINARY}, refusals=(403, 409))
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Export a competition that the caller organizes."""
        with ExitStack() as stack:
            file = stack.enter_context(tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR))
            write_zip(slug=slug, user=caller(request), target=file)
            file.seek(0)
            stack.pop_all()  # from here on the response closes it
        return FileResponse(file, as_attachment=True, filename=f"{slug}.zip", content_type=ZIP)

    @describe(
        "importCompetition",
        {200: DifferenceSerializer},
        body=requests.UploadedFile,
        example=EXAMPLE,
        refusals=(409, 422),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Make this competition of an upload of the kind competition, or change it to that; wholly or not at all."""
        key = requests.read_body(requests.UploadedFile, request)["upload"]
        content, size = content_of(key, caller(request), Upload.Kind.COMPETITION)
        with content:
            found = import_zip(user=caller(request), content=content, size=size, slug=slug)
        return Response(DifferenceSerializer(found).data)


class CompetitionDifference(Decision):
    """What an import would change."""

    @describe(
        "diffCompetition",
        {200: DifferenceSerializer},
        body=requests.FileText,
        example={"text": TOML},
        refusals=(409, 422),
    )
    def post(self, request: Request, slug: str) -> Response:
        """Compare the text of a competition.toml with what there is; nothing is written."""
        text = requests.read_body(requests.FileText, request)["text"]
        found = check_file(content=text.encode("utf-8", "replace"), user=caller(request), slug=slug)
        return Response(DifferenceSerializer(found).data)
