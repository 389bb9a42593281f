"""Submissions of the caller's teams, handed in with the archive in a form or by a finished upload."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers as framework
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Team, User
from accounts.selectors import find_team
from accounts.services import ensure_personal_team
from competitions.api import requests, serializers
from competitions.api.base import ApiView, answer_page, caller, flags_by_run, show_submission
from competitions.api.contract import body_of, describe
from competitions.api.idempotency import idempotent
from competitions.api.shapes import page_shape
from competitions.body_size import upload_limit
from competitions.errors import NotATeamMember
from competitions.selectors.competitions import find_phase, get_competition, quota
from competitions.selectors.paging import page_of
from competitions.selectors.submissions import get_submission, own_submissions, submissions_of
from competitions.selectors.uploads import content_of
from competitions.services.finals import choose_final, drop_final
from competitions.services.submissions import Upload, cancel_submission, check_submission, create_submission

SHOWN = serializers.SubmissionWithQuotaSerializer
FORM_EXAMPLE = {"competition": "small", "archive": "(the bytes of generator.zip)", "note": "wider decoder"}
UPLOAD_EXAMPLE = {
    "upload": "5f0c7f0e-9f5b-4d0c-8f6c-0d6a2f3f1b7a",
    "competition": "small",
    "team": "rosalba",
    "note": "wider decoder",
}


class Submissions(ApiView):
    """The submissions of the caller's teams."""

    permission_classes = (IsAuthenticated,)
    parser_classes = (MultiPartParser, JSONParser)

    def body_limit(self) -> int:
        """Return how many bytes an upload may have."""
        return upload_limit()

    @describe(
        "listSubmissions", {200: page_shape(serializers.SubmissionSerializer)}, query=requests.PageQuery
    )
    def get(self, request: Request) -> Response:
        """List submissions, newest first."""
        page = page_of(own_submissions(request.user), self.window(), ("-created_at", "-pk"))
        shown = submissions_of(request.user, only=[row.pk for row in page.rows])
        context = flags_by_run(shown, request)
        return answer_page(page, serializers.SubmissionSerializer, request, rows=shown, context=context)

    @describe(
        "createSubmission",
        {201: SHOWN},
        body={
            **body_of(requests.NewSubmissionOfUpload, UPLOAD_EXAMPLE),
            **body_of(requests.NewSubmission, FORM_EXAMPLE, "multipart/form-data"),
        },
        refusals=(404, 409, 422),
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Hand in an archive: in a form, or by the id of a finished upload."""
        user = caller(request)
        is_form = str(request.content_type).startswith("multipart/")
        fields = requests.read_body(
            requests.NewSubmission if is_form else requests.NewSubmissionOfUpload, request
        )
        phase = find_phase(get_competition(fields["competition"], user), fields["phase"])
        upload = _archive_in_form(fields) if is_form else _archive_uploaded(fields, user)
        row = create_submission(phase_pk=phase.pk, team=_team(user, fields["team"]), user=user, upload=upload)
        return show_submission(get_submission(row.pk, user), request, status=201)


class Submission(ApiView):
    """One submission with its latest run."""

    @describe("getSubmission", {200: SHOWN})
    def get(self, request: Request, submission_id: str) -> Response:
        """Show a submission."""
        return show_submission(get_submission(requests.read_id(submission_id), request.user), request)


class CancelSubmission(ApiView):
    """The end of a run that its team no longer wants."""

    permission_classes = (IsAuthenticated,)

    @describe("cancelSubmission", {200: SHOWN}, refusals=(409,))
    def post(self, request: Request, submission_id: str) -> Response:
        """Cancel the run."""
        requests.read_body(requests.Nothing, request)
        key = requests.read_id(submission_id)
        cancel_submission(submission_id=key, user=caller(request))
        return show_submission(get_submission(key, request.user), request)


class FinalSubmission(ApiView):
    """That the team wants to be ranked by this submission."""

    permission_classes = (IsAuthenticated,)

    @describe("chooseFinal", {200: SHOWN}, refusals=(409,))
    @idempotent
    def post(self, request: Request, submission_id: str) -> Response:
        """Have the team ranked by the submission; choosing it again changes nothing."""
        requests.read_body(requests.Nothing, request)
        key, user = requests.read_id(submission_id), caller(request)
        choose_final(submission_id=key, user=user)
        return show_submission(get_submission(key, user), request)

    @describe("dropFinal", {204: None}, refusals=(409,))
    def delete(self, request: Request, submission_id: str) -> Response:
        """Take the choice back; without any, the rule of the phase chooses among all of the team's submissions."""
        drop_final(submission_id=requests.read_id(submission_id), user=caller(request))
        return Response(status=204)


class AdmissionSerializer(framework.Serializer):
    """What may be handed in now: for which phase and team, and what they have left."""

    competition = framework.CharField()
    phase = framework.CharField()
    team = framework.CharField()
    quota = serializers.QuotaSerializer()


class Admission(ApiView):
    """Whether an archive would be taken, asked before it is sent."""

    permission_classes = (IsAuthenticated,)

    @describe("getAdmission", {200: AdmissionSerializer}, query=requests.AdmissionQuery, refusals=(403, 409))
    def get(self, request: Request, slug: str) -> Response:
        """Refuse as handing in would, for window, quota, team or a repeat; else show what is left."""
        user = caller(request)
        phase = find_phase(get_competition(slug, user), self.query["phase"])
        team = _team(user, self.query["team"])
        check_submission(phase_pk=phase.pk, team=team, user=user, sha256=self.query["sha256"])
        answer = {
            "competition": slug,
            "phase": phase.slug,
            "team": team.slug,
            "quota": quota(phase, team, user),
        }
        return Response(AdmissionSerializer(answer).data)


def _team(user: User, slug: str) -> Team:
    ensure_personal_team(user=user)
    team = find_team(user, slug)
    if team is None:
        raise NotATeamMember(fields={"team": "This is none of your teams."})
    return team


def _archive_in_form(fields: Mapping[str, Any]) -> Upload:
    archive = fields["archive"]
    return Upload(archive, archive.size, note=fields["note"], allow_duplicate=fields["again"])


def _archive_uploaded(fields: Mapping[str, Any], user: User) -> Upload:
    content, size = content_of(fields["upload"], user)
    return Upload(content, size, note=fields["note"], allow_duplicate=fields["again"])
