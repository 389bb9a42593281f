"""Every address of the API: read the request, ask a service or selector, shape the answer."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from accounts.models import User
from accounts.selectors import find_team, teams_of
from accounts.services import ensure_personal_team, issue_token
from competitions.api import requests, serializers
from competitions.body_size import form_limit, refuse_large_body, upload_limit
from competitions.errors import NotATeamMember, NotFound
from competitions.selectors.access import Viewer
from competitions.selectors.competitions import (
    CompetitionView,
    PhaseView,
    competitions,
    find_phase,
    get_competition,
    public_pairs,
    quota,
)
from competitions.selectors.flags import flags_of
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


class ApiView(APIView):
    """What all answers have in common: they may differ by caller, so no shared cache keeps them."""

    metadata_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Look at the size before anything reads the body, then at who calls."""
        refuse_large_body(request.META, limit=self.body_limit())
        super().initial(request, *args, **kwargs)

    def body_limit(self) -> int:
        """Return how many bytes a request may have."""
        return form_limit()

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Add the headers for caches to those of the framework."""
        headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
        return {**super().default_response_headers, **headers}


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
        user = _caller(request)
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
        return Response({**answer, "quota": _quota(request.user, competition.phase)})


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
        return _page(found, serializers.SubmissionSerializer, request, _flags(found, request))

    def post(self, request: Request) -> Response:
        """Hand in an archive."""
        user, fields = _caller(request), requests.read_body(requests.NewSubmission, request)
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
        return _submission(get_submission(row.pk, user), request, status=201)


class Submission(ApiView):
    """One submission with its latest run."""

    def get(self, request: Request, submission_id: str) -> Response:
        """Show a submission."""
        return _submission(get_submission(requests.read_id(submission_id), request.user), request)


class CancelSubmission(ApiView):
    """The end of a run that its team no longer wants."""

    permission_classes = (IsAuthenticated,)

    def post(self, request: Request, submission_id: str) -> Response:
        """Cancel the run."""
        requests.read_body(requests.Nothing, request)
        key = requests.read_id(submission_id)
        cancel_submission(submission_id=key, user=_caller(request))
        return _submission(get_submission(key, request.user), request)


class Run(ApiView):
    """Where one run stands."""

    def get(self, request: Request, run_id: str) -> Response:
        """Show a run."""
        submission = _of_run(run_id, request)
        return Response(serializers.RunSerializer(submission.run, context=_flags([submission], request)).data)


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


def _caller(request: Request) -> User:
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


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


def _flags(submissions: Sequence[SubmissionView], request: Request) -> dict[str, object]:
    """Read the flags that the caller may see of these submissions' runs."""
    return {"flags": flags_of([submission.run.id for submission in submissions], request.user)}


def _phase(slug: str, request: Request) -> tuple[CompetitionView, PhaseView]:
    competition = get_competition(slug, request.user)
    return competition, find_phase(competition, requests.read_query(requests.PhaseQuery, request)["phase"])


def _of_run(run_id: str, request: Request) -> SubmissionView:
    return get_submission_of_run(requests.read_id(run_id), request.user)


def _submission(submission: SubmissionView, request: Request, status: int = 200) -> Response:
    context = _flags([submission], request)
    answer = serializers.SubmissionSerializer(submission, context=context).data
    phase = find_phase(get_competition(submission.competition, request.user), submission.phase)
    uses = _quota(request.user, phase, submission.team_slug) if submission.team_slug else None
    return Response({**answer, "quota": uses}, status=status)


def _quota(user: Viewer, phase: PhaseView | None, team_slug: str = "") -> dict[str, Any] | None:
    """Show what the caller's team has left, or None where the caller is not of the team."""
    if phase is None or isinstance(user, AnonymousUser):
        return None
    team = find_team(user, team_slug)
    return serializers.QuotaSerializer(quota(phase, team)).data if team else None
