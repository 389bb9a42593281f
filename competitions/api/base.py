"""What the addresses of the API share: headers for caches, the caller, and how a submission is shown."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import AnonymousUser
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.selectors import find_team
from competitions.api import serializers
from competitions.body_size import form_limit, refuse_large_body
from competitions.errors import NotFound
from competitions.selectors.access import Viewer
from competitions.selectors.competitions import PhaseView, find_phase, get_competition, quota
from competitions.selectors.flags import flags_of
from competitions.selectors.submissions import SubmissionView


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


def caller(request: Request) -> User:
    """Return the user who calls; a call without one is refused."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


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
