"""Every address of the API: read the request, ask a service or selector, shape the answer."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.throttling import ScopedRateThrottle

from accounts.models import User
from accounts.selectors import find_team, teams_of
from accounts.services import ensure_personal_team, issue_token
from competitions.api import requests, serializers
from competitions.api.base import ApiView, caller, flags_by_run, quota_of, show_submission
from competitions.body_size import upload_limit
from competitions.errors import NotATeamMember, NotFound
from competitions.selectors.competitions import (
    CompetitionView,
    PhaseView,
    competitions,
    find_phase,
    get_competition,
    public_pairs,
)
from competitions.selectors.leaderboards import leaderboard
from competitions.selectors.scores import public_pair_scores, run_result
from competitions.selectors.submissions import (
    SubmissionView,
    get_submission,
    get_submission_of_run,
    run_log,
    submissions_of,
)
from competitions.services.submissions import Upload, cancel_submission, create_submission


class Tokens(ApiView):
    """Exchange user name and password for a token; the key is shown in this answer only."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "tokens"

    def post(self, request: Request) -> Response:
        """Make a token."""
        fields = requests.read_body(requests.NewToken, request)
        user = authenticate(request._request, username=fields["username"], password=fields["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed("User name or password is wrong.")
        token, key = issue_token(user=user, name=fields["name"])
        return Response({"token": key, "name": token.name, "user": user.username}, status=201)


class Me(ApiView):
    """The caller and the teams that the caller may submit for."""

    permission_classes = (IsAuthenticated,)

    def get(self, request: Request) -> Response:
        """Show the caller."""
        user = caller(request)
        ensure_personal_team(user=user)
        teams = [{"slug": team.slug, "name": team.name} for team in teams_of(user)]
        return Response({"username": user.username, "teams": teams})


class Competitions(ApiView):
    """The competitions that the caller may see."""

    def get(self, request: Request) -> Response:
        """List competitions."""
        return _page(competitions(request.user), serializers.CompetitionSerializer, request)


class Competition(ApiView):
    """One competition, with the quota of the caller's team of one."""

    def get(self, request: Request, slug: str) -> Response:
        """Show a competition."""
        competition = get_competition(slug, request.user)
        answer = serializers.CompetitionDetailSerializer(competition).data
        return Response({**answer, "quota": quota_of(request.user, competition.phase)})


class Leaderboard(ApiView):
    """The newest board of a phase; its entity tag covers all that it says."""

    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Show the board, or answer 304 where the caller has it."""
        competition, phase = _phase(slug, request)
        answer = serializers.LeaderboardSerializer(leaderboard(competition, phase)).data
        tag = f'"{hashlib.sha256(JSONRenderer().render(answer)).hexdigest()}"'
        response = Response(answer)
        response["ETag"] = tag
        return get_conditional_response(request._request, tag, response=response) or response


class Pairs(ApiView):
    """The pairs of a phase that everybody may see."""

    def get(self, request: Request, slug: str) -> Response:
        """List the public pairs."""
        _, phase = _phase(slug, request)
        return _page(public_pairs(phase), serializers.PairSerializer, request)


class Submissions(ApiView):
    """The submissions of the caller's teams."""

    permission_classes = (IsAuthenticated,)
    parser_classes = (MultiPartParser,)

    def body_limit(self) -> int:
        """Return how many bytes an upload may have."""
        return upload_limit()

    def get(self, request: Request) -> Response:
        """List submissions."""
        found = submissions_of(request.user)
        return _page(found, serializers.SubmissionSerializer, request, flags_by_run(found, request))

    def post(self, request: Request) -> Response:
        """Hand in an archive."""
        user, fields = caller(request), requests.read_body(requests.NewSubmission, request)
        phase = find_phase(get_competition(fields["competition"], user), fields["phase"])
        ensure_personal_team(user=user)
        team = find_team(user, fields["team"])
        if team is None:
            raise NotATeamMember(fields={"team": "This is none of your teams."})
        upload = Upload(
            content=fields["archive"],
            size=fields["archive"].size,
            note=fields["note"],
            allow_duplicate=fields["again"],
        )
        row = create_submission(phase_pk=phase.pk, team=team, user=user, upload=upload)
        return show_submission(get_submission(row.pk, user), request, status=201)


class Submission(ApiView):
    """One submission with its latest run."""

    def get(self, request: Request, submission_id: str) -> Response:
        """Show a submission."""
        return show_submission(get_submission(requests.read_id(submission_id), request.user), request)


class CancelSubmission(ApiView):
    """The end of a run that its team no longer wants."""

    permission_classes = (IsAuthenticated,)

    def post(self, request: Request, submission_id: str) -> Response:
        """Cancel the run."""
        requests.read_body(requests.Nothing, request)
        key = requests.read_id(submission_id)
        cancel_submission(submission_id=key, user=caller(request))
        return show_submission(get_submission(key, request.user), request)


class Run(ApiView):
    """Where one run stands."""

    def get(self, request: Request, run_id: str) -> Response:
        """Show a run."""
        submission = _of_run(run_id, request)
        return Response(
            serializers.RunSerializer(submission.run, context=flags_by_run([submission], request)).data
        )


class RunLog(ApiView):
    """What the generator wrote, from a character offset on; for the team and organizers."""

    def get(self, request: Request, run_id: str) -> Response:
        """Read on in the log."""
        offset = requests.read_query(requests.LogQuery, request)["offset"]
        log = run_log(_of_run(run_id, request), offset=offset)
        return Response({"offset": offset, **serializers.LogSerializer(log).data})


class RunScores(ApiView):
    """The result of a run: aggregates over the hidden pairs, single values of public pairs only."""

    def get(self, request: Request, run_id: str) -> Response:
        """Show the scores."""
        submission = _of_run(run_id, request)
        answer = serializers.ResultSerializer(run_result(submission)).data
        context = {"request": request, "run_id": submission.run.id}
        pairs = serializers.PairScoreSerializer(public_pair_scores(submission), many=True, context=context)
        return Response({**answer, "pairs": pairs.data})


class UnknownAddress(ApiView):
    """Every other address below /api/."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404, whatever the method."""
        fix = "" if request.path.endswith("/") else "Addresses end with a slash."
        raise NotFound("The API has no such address.", fix=fix)


def _page(
    rows: Sequence[object],
    shape: type[Serializer[Any]],
    request: Request,
    context: Mapping[str, object] | None = None,
) -> Response:
    window = requests.read_query(requests.PageQuery, request)
    start, end = window["offset"], window["offset"] + window["limit"]
    answer = shape(rows[start:end], many=True, context={"request": request, **(context or {})}).data
    return Response({"count": len(rows), "next_offset": end if end < len(rows) else None, "results": answer})


def _phase(slug: str, request: Request) -> tuple[CompetitionView, PhaseView]:
    competition = get_competition(slug, request.user)
    return competition, find_phase(competition, requests.read_query(requests.PhaseQuery, request)["phase"])


def _of_run(run_id: str, request: Request) -> SubmissionView:
    return get_submission_of_run(requests.read_id(run_id), request.user)
