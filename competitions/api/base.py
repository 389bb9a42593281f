"""What the addresses of the API share: headers for caches, the caller, and how a submission is shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.models import ApiToken, User
from accounts.selectors import find_team
from competitions.api import requests, serializers
from competitions.api.throttles import CreationThrottle, RequestThrottle
from competitions.body_size import form_limit, refuse_large_body
from competitions.errors import NotFound, ScopeMissing
from competitions.selectors.access import Viewer
from competitions.selectors.competitions import PhaseView, find_phase, get_competition, quota
from competitions.selectors.flags import flags_of
from competitions.selectors.paging import Page, Window
from competitions.selectors.submissions import SubmissionView

READING = ("GET", "HEAD", "OPTIONS")


class ApiView(APIView):
    """What all answers have in common: they may differ by caller, so no shared cache keeps them.

    `write_scope` is what a token needs for a request that changes something.
    """

    metadata_class = None
    http_method_names = ["get", "head", "post", "put", "delete"]
    throttle_classes: Sequence[type[BaseThrottle]] = (RequestThrottle, CreationThrottle)
    write_scope = ApiToken.Scope.SUBMIT
    query: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Look at the size before anything reads the body, then at who calls, then at the query."""
        refuse_large_body(request.META, limit=self.body_limit())
        if request.method not in self.allowed_methods:
            raise MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)
        shape = getattr(getattr(self, str(request.method).lower()), "query", requests.Nothing)
        self.query = requests.read_query(shape, request)

    def check_permissions(self, request: Request) -> None:
        """Refuse those who may not do this at all, then tokens without the scope."""
        super().check_permissions(request)
        self.check_scope(request)

    def check_scope(self, request: Request) -> None:
        """Refuse a token that lacks the scope; a session of the pages has every scope."""
        need_scope(request, ApiToken.Scope.READ if request.method in READING else self.write_scope)

    def body_limit(self) -> int:
        """Return how many bytes a request may have."""
        return form_limit()

    def window(self) -> Window:
        """Return which part of a list is asked for."""
        return Window(self.query["limit"], self.query["cursor"], self.query["offset"])

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Add the headers for caches to those of the framework."""
        headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
        return {**super().default_response_headers, **headers}


def need_scope(request: Request, scope: str) -> None:
    """Refuse the request if it carries a token without this scope."""
    if isinstance(request.auth, ApiToken) and not request.auth.allows(scope):
        raise ScopeMissing(
            f'The token "{request.auth.name}" has the scopes "{request.auth.scopes}"; this needs "{scope}".',
            fix=f'Make a token with the scope "{scope}".',
        )


def caller(request: Request) -> User:
    """Return the user who calls; a call without one is refused."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def answer_page(
    page: Page[Any],
    shape: type[Serializer[Any]],
    request: Request,
    rows: Sequence[object] | None = None,
    context: Mapping[str, object] | None = None,
) -> Response:
    """Answer with a page of a list; `rows` is what is shown of its rows, where that is something else."""
    shown = page.rows if rows is None else rows
    results = shape(shown, many=True, context={"request": request, **(context or {})}).data
    places = {name: getattr(page, name) for name in ("count", "next_cursor", "next_offset")}
    return Response({**places, "results": results})


def flags_by_run(submissions: Sequence[SubmissionView], request: Request) -> dict[str, object]:
    """Read the flags that the caller may see of these submissions' runs, for the serializers."""
    return {"flags": flags_of([submission.run.id for submission in submissions], request.user)}


def show_submission(submission: SubmissionView, request: Request, status: int = 200) -> Response:
    """Answer with a submission, its run, and what its team has left."""
    context = flags_by_run([submission], request)
    answer = serializers.SubmissionSerializer(submission, context=context).data
    return Response({**answer, "quota": _quota_of_team(submission, request.user)}, status=status)


def quota_of(user: Viewer, phase: PhaseView | None, team_slug: str = "") -> dict[str, Any] | None:
    """Show what the caller's team has left, or None where the caller is not of the team."""
    if phase is None or isinstance(user, AnonymousUser):
        return None
    team = find_team(user, team_slug)
    return serializers.QuotaSerializer(quota(phase, team)).data if team else None


def _quota_of_team(submission: SubmissionView, user: Viewer) -> dict[str, Any] | None:
    if not submission.team_slug:
        return None
    try:
        phase = find_phase(get_competition(submission.competition, user), submission.phase)
    except NotFound:  # not published any more; the team still sees what it handed in
        return None
    return quota_of(user, phase, submission.team_slug)
