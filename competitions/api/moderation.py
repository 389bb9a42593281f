"""The addresses at which teams repeat runs, and organizers rerun, rescore, disqualify and reinstate."""

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from competitions.api import requests
from competitions.api.base import ApiView, caller, show_submission
from competitions.selectors.competitions import find_phase, get_competition
from competitions.selectors.submissions import get_submission
from competitions.services import moderation
from competitions.services.submissions import retry_submission
from evaluation.spec import load_suite


class Decision(ApiView):
    """Something that only somebody with a name decides; the services know who may."""

    permission_classes = (IsAuthenticated,)


class RetrySubmission(Decision):
    """The same archive once more, for the team whose run was cancelled or broken by the platform."""

    def post(self, request: Request, submission_id: str) -> Response:
        """Queue the submission anew."""
        requests.read_body(requests.Nothing, request)
        key, user = requests.read_id(submission_id), caller(request)
        retry_submission(submission_id=key, user=user)
        return show_submission(get_submission(key, user), request, status=201)


class RerunSubmission(Decision):
    """Another run at no cost to the team, for organizers; its scores replace those before."""

    def post(self, request: Request, submission_id: str) -> Response:
        """Queue the submission anew."""
        requests.read_body(requests.Nothing, request)
        key, user = requests.read_id(submission_id), caller(request)
        moderation.rerun(submission_id=key, user=user)
        return show_submission(get_submission(key, user), request, status=201)


class DisqualifySubmission(Decision):
    """The way off the board."""

    def post(self, request: Request, submission_id: str) -> Response:
        """Disqualify the submission, for a reason that everybody can read."""
        reason = requests.read_body(requests.Reason, request)["reason"]
        key, user = requests.read_id(submission_id), caller(request)
        moderation.disqualify(submission_id=key, user=user, reason=reason)
        return show_submission(get_submission(key, user), request)


class ReinstateSubmission(Decision):
    """The way back onto the board."""

    def post(self, request: Request, submission_id: str) -> Response:
        """Lift the disqualification."""
        requests.read_body(requests.Nothing, request)
        key, user = requests.read_id(submission_id), caller(request)
        moderation.lift(submission_id=key, user=user)
        return show_submission(get_submission(key, user), request)


class RescorePhase(Decision):
    """New scores by another shipped suite, from the outputs that are stored."""

    def post(self, request: Request, slug: str, phase: str) -> Response:
        """Give the phase the suite, and name the runs that were queued."""
        suite = load_suite(requests.read_body(requests.NewSuite, request)["suite"])
        user = caller(request)
        found = find_phase(get_competition(slug, user), phase)
        queued = moderation.rescore_phase(phase_pk=found.pk, suite=suite, user=user)
        answer = {"competition": slug, "phase": found.slug, "suite": suite.id}
        return Response({**answer, "runs": [str(run.pk) for run in queued]})
