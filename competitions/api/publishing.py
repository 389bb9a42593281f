"""For organizers' programs: try a competition out with two baselines, and publish it."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from competitions.api import requests
from competitions.api.base import caller
from competitions.api.contract import describe
from competitions.api.idempotency import idempotent
from competitions.api.moderation import Decision
from competitions.api.serializers import CompetitionDetailSerializer
from competitions.api.shapes import EstimateSerializer
from competitions.selectors.competitions import get_competition
from competitions.selectors.drafts import dry_run
from competitions.services.publishing import publish_draft, start_dry_run


class TrialSerializer(serializers.Serializer):
    """One baseline on its way; `scores` over the hidden pairs, empty until there are some."""

    submission_id = serializers.UUIDField()
    run_id = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.CharField()
    pairs_done = serializers.IntegerField()
    pairs_total = serializers.IntegerField()
    failure_code = serializers.CharField(allow_blank=True)
    scores = serializers.DictField(child=EstimateSerializer())


class DryRunSerializer(serializers.Serializer):
    """The last dry run: whether suite, data and limits are still those that it tried, and how far it is."""

    is_current = serializers.BooleanField()
    is_live = serializers.BooleanField()
    is_scored = serializers.BooleanField()
    waiting_reason = serializers.CharField(source="waiting.reason", allow_blank=True)
    waiting_advice = serializers.CharField(source="waiting.advice", allow_blank=True)
    trials = TrialSerializer(many=True)


class DryRun(Decision):
    """Two baselines that go through the whole line before anybody's entry does."""

    @describe("getDryRun", {200: DryRunSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """Show how the last dry run goes."""
        return Response(DryRunSerializer(dry_run(slug, request.user)).data)

    @describe("startDryRun", {201: DryRunSerializer}, refusals=(409,))
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Queue two baselines."""
        requests.read_body(requests.Nothing, request)
        start_dry_run(slug=slug, user=caller(request))
        return Response(DryRunSerializer(dry_run(slug, request.user)).data, status=201)


class Publish(Decision):
    """The moment from which everybody sees a competition."""

    @describe(
        "publishCompetition",
        {200: CompetitionDetailSerializer},
        body=requests.Remark,
        example={"reason": ""},
        refusals=(409,),
    )
    @idempotent
    def post(self, request: Request, slug: str) -> Response:
        """Show the competition to everybody; one that was not tried with success needs a reason."""
        reason = requests.read_body(requests.Remark, request)["reason"]
        publish_draft(slug=slug, user=caller(request), reason=reason)
        return Response(CompetitionDetailSerializer(get_competition(slug, request.user)).data)
