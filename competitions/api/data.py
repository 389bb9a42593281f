"""The pictures of a competition: what organizers' programs push, and how far a worker is with many of them."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken
from competitions.api import requests
from competitions.api.base import caller, need_scope
from competitions.api.contract import ErrorDetailSerializer, describe
from competitions.api.files import EXAMPLE
from competitions.api.idempotency import idempotent
from competitions.api.moderation import Decision
from competitions.selectors.surveys import data_of
from competitions.services.surveys import hand_in_upload, start_again, stop


class FindingSerializer(serializers.Serializer):
    """Something that was found in the files of a dataset. `weight`: fatal, left_out, warning or changed."""

    code = serializers.CharField()
    weight = serializers.CharField(source="kind.weight")
    file = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True)
    sentence = serializers.CharField(source="kind.sentence")
    advice = serializers.CharField(source="kind.advice")


class ReportSerializer(serializers.Serializer):
    """What became of the files of a dataset; a fatal finding means that none was made. `sha256`: of their zip."""

    size = serializers.IntegerField()
    sha256 = serializers.CharField(allow_blank=True)
    n_files = serializers.IntegerField()
    n_usable = serializers.IntegerField()
    n_public = serializers.IntegerField()
    n_hidden = serializers.IntegerField()
    is_fatal = serializers.BooleanField()
    findings = FindingSerializer(many=True)


class SurveySerializer(serializers.Serializer):
    """Files that wait for a worker, are looked at or were refused; `problem` says why they were.

    `sha256`: of their zip. `n_before`: how many sets of files come first. `is_lost`: the worker gives no sign any
    more. `is_untaken`: no worker takes them, although none is busy.
    """

    state = serializers.ChoiceField(["waiting", "running", "refused"])
    sha256 = serializers.CharField()
    files_done = serializers.IntegerField()
    files_total = serializers.IntegerField()
    n_before = serializers.IntegerField()
    seconds_silent = serializers.IntegerField()
    is_lost = serializers.BooleanField()
    is_untaken = serializers.BooleanField()
    problem = ErrorDetailSerializer(allow_null=True)


class DataSerializer(serializers.Serializer):
    """The report on the files looked at last, and the survey of those that came after them; null: there is none."""

    report = ReportSerializer(allow_null=True)
    survey = SurveySerializer(allow_null=True)


class CompetitionData(Decision):
    """The pictures of a competition that is being set up."""

    def check_scope(self, request: Request) -> None:
        """Refuse tokens that may only read: the findings name hidden pictures."""
        need_scope(request, ApiToken.Scope.ORGANIZE)

    @describe("getCompetitionData", {200: DataSerializer}, refusals=(403,))
    def get(self, request: Request, slug: str) -> Response:
        """Show what was found in the pictures, and how far a worker is with new ones."""
        return Response(DataSerializer(data_of(slug, request.user)).data)

    @describe(
        "pushDataset",
        {200: DataSerializer, 202: DataSerializer},
        body=requests.UploadedFile,
        example=EXAMPLE,
        refusals=(409, 422),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Take in an upload of the kind dataset.

        Few pictures are looked at within the request (200), many by a worker, whose the upload is from then on (202).
        """
        key = requests.read_body(requests.UploadedFile, request)["upload"]
        is_done = hand_in_upload(slug=slug, user=caller(request), upload_id=key)
        return Response(DataSerializer(data_of(slug, request.user)).data, status=200 if is_done else 202)


class DataSurvey(Decision):
    """Pictures that wait for a worker, are looked at, or were refused."""

    @describe("restartDatasetSurvey", {202: DataSerializer}, refusals=(409,))
    def post(self, request: Request, slug: str) -> Response:
        """Give the pictures to another worker; refused unless theirs is lost, or none takes them."""
        requests.read_body(requests.Nothing, request)
        start_again(slug=slug, user=caller(request))
        return Response(DataSerializer(data_of(slug, request.user)).data, status=202)

    @describe("stopDatasetSurvey", {204: None})
    def delete(self, request: Request, slug: str) -> Response:
        """Throw the pictures away; the dataset before them stays, and stopping nothing changes nothing."""
        stop(slug=slug, user=caller(request))
        return Response(status=204)
