"""The addresses at which teams repeat runs, and organizers rerun, rescore, cancel, disqualify and reinstate."""

from rest_framework import serializers as framework
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken
from competitions.api import requests, serializers
from competitions.api.base import ApiView, caller, flags_by_run, show_submission
from competitions.api.contract import describe
from competitions.api.idempotency import idempotent
from competitions.selectors.competitions import find_phase, get_competition
from competitions.selectors.submissions import get_submission, get_submission_of_run
from competitions.services import moderation
from competitions.services.submissions import retry_submission
from evaluation.spec import load_suite

SHOWN = serializers.SubmissionWithQuotaSerializer


class RescoringSerializer(framework.Serializer):
    """What was queued to score a phase again."""

    competition = framework.CharField()
    phase = framework.CharField()
    suite = framework.CharField()
    runs = framework.ListField(child=framework.UUIDField())


class Decision(ApiView):
    """Something that only somebody with a name decides; the services know who may."""

    permission_classes = (IsAuthenticated,)
    write_scope = ApiToken.Scope.ORGANIZE


class RetrySubmission(Decision):
    """The same archive once more, for the team whose run was cancelled or broken by the platform."""

    write_scope = ApiToken.Scope.SUBMIT

    @describe("retrySubmission", {201: SHOWN}, refusals=(409,))
    @idempotent
    def post(self, request: Request, submission_id: str) -> Response:
        """Queue the submission anew."""
        requests.read_body(requests.Nothing, request)
        key, user = requests.read_id(submission_id), caller(request)
        retry_submission(submission_id=key, user=user)
        return show_submission(get_submission(key, user), request, status=201)


class RerunSubmission(Decision):
    """Another run at no cost to the team, for organizers; its scores replace those before."""

    @describe("rerunSubmission", {201: SHOWN}, refusals=(409,))
    @idempotent
    def post(self, request: Request, submission_id: str) -> Response:
        """Queue the submission anew."""
        requests.read_body(requests.Nothing, request)
        key, user = requests.read_id(submission_id), caller(request)
        moderation.rerun(submission_id=key, user=user)
        return show_submission(get_submission(key, user), request, status=201)


class DisqualifySubmission(Decision):
    """The way off the board."""

    @describe(
        "disqualifySubmission",
        {200: SHOWN},
        body=requests.Reason,
        example={"reason": "It returns the style image."},
        refusals=(409,),
    )
    def post(self, request: Request, submission_id: str) -> Response:
        """Disqualify the submission, for a reason that everybody can read."""
        reason = requests.read_body(requests.Reason, request)["reason"]
        key, user = requests.read_id(submission_id), caller(request)
        moderation.disqualify(submission_id=key, user=user, reason=reason)
        return show_submission(get_submission(key, user), request)


class ReinstateSubmission(Decision):
    """The way back onto the board."""

    @describe("reinstateSubmission", {200: SHOWN}, refusals=(409,))
    def post(self, request: Request, submission_id: str) -> Response:
        """Lift the disqualification."""
        requests.read_body(requests.Nothing, request)
        key, user = requests.read_id(submission_id), caller(request)
        moderation.lift(submission_id=key, user=user)
        return show_submission(get_submission(key, user), request)


class RescorePhase(Decision):
    """New scores by another shipped suite, from the outputs that are stored."""

    @describe(
        "rescorePhase",
        {200: RescoringSerializer},
        body=requests.NewSuite,
        example={"suite": requests.SUITES[0]},
        refusals=(409,),
    )
    @idempotent
    def post(self, request: Request, slug: str, phase: str) -> Response:
        """Give the phase the suite, and name the runs that were queued."""
        suite = load_suite(requests.read_body(requests.NewSuite, request)["suite"])
        user = caller(request)
        found = find_phase(get_competition(slug, user), phase)
        queued = moderation.rescore_phase(phase_pk=found.pk, suite=suite, user=user)
        answer = {"competition": slug, "phase": found.slug, "suite": suite.id}
        return Response({**answer, "runs": [str(run.pk) for run in queued]})


class CancelRun(Decision):
    """The end of one run of any purpose at no cost to the team, for organizers; teams cancel their submission."""

    @describe(
        "cancelRun",
        {200: serializers.RunSerializer},
        body=requests.Remark,
        example={"reason": "The suite is wrong."},
        refusals=(409,),
    )
    def post(self, request: Request, run_id: str) -> Response:
        """Cancel the run; a reason stands in its history."""
        reason = requests.read_body(requests.Remark, request)["reason"]
        key, user = requests.read_id(run_id), caller(request)
        moderation.cancel_run(run_id=key, user=user, reason=reason)
        submission = get_submission_of_run(key, user)
        context = flags_by_run([submission], request)
        return Response(serializers.RunSerializer(submission.run, context=context).data)
