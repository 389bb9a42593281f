"""Competitions with their phases and public pairs."""

from rest_framework import serializers as framework
from rest_framework.request import Request
from rest_framework.response import Response

from competitions.api import requests, serializers
from competitions.api.base import ApiView, answer_page, quota_of
from competitions.api.contract import describe
from competitions.api.shapes import page_shape
from competitions.selectors.access import listed_competitions
from competitions.selectors.competitions import (
    CompetitionView,
    PhaseView,
    competitions,
    find_phase,
    get_competition,
    public_pairs,
)
from competitions.selectors.paging import page_of, page_of_list

NEWEST_FIRST = ("-created_at", "-pk")


class PhaseDetailSerializer(serializers.PhaseSerializer):
    """A phase with what its runs are scored by."""

    runs_total = framework.IntegerField()
    required_coverage = framework.FloatField()
    counting = framework.CharField()
    suite = framework.CharField(source="suite.id")
    suite_digest = framework.CharField(source="suite.digest")
    n_public = framework.IntegerField()
    n_hidden = framework.IntegerField()


class Competitions(ApiView):
    """The competitions that the caller may see."""

    @describe(
        "listCompetitions", {200: page_shape(serializers.CompetitionSerializer)}, query=requests.PageQuery
    )
    def get(self, request: Request) -> Response:
        """List competitions, newest first."""
        page = page_of(listed_competitions(request.user), self.window(), NEWEST_FIRST)
        shown = competitions(request.user, only=[row.pk for row in page.rows])
        return answer_page(page, serializers.CompetitionSerializer, request, rows=shown)


class Competition(ApiView):
    """One competition, with the quota of the caller's team of one."""

    @describe("getCompetition", {200: serializers.CompetitionWithQuotaSerializer})
    def get(self, request: Request, slug: str) -> Response:
        """Show a competition."""
        competition = get_competition(slug, request.user)
        answer = serializers.CompetitionDetailSerializer(competition).data
        return Response({**answer, "quota": quota_of(request.user, competition.phase)})


class Phases(ApiView):
    """The phases of a competition."""

    @describe("listPhases", {200: page_shape(PhaseDetailSerializer)}, query=requests.PageQuery)
    def get(self, request: Request, slug: str) -> Response:
        """List the phases by name."""
        phases = sorted(get_competition(slug, request.user).phases, key=_slug)
        return answer_page(page_of_list(phases, self.window(), _slug), PhaseDetailSerializer, request)


class Phase(ApiView):
    """One phase of a competition."""

    @describe("getPhase", {200: PhaseDetailSerializer})
    def get(self, request: Request, slug: str, phase: str) -> Response:
        """Show a phase."""
        return Response(PhaseDetailSerializer(find_phase(get_competition(slug, request.user), phase)).data)


class Pairs(ApiView):
    """The pairs of a phase that everybody may see."""

    @describe(
        "listPairs",
        {200: page_shape(serializers.PairSerializer)},
        query=requests.PhasePageQuery,
        refusals=(403,),
    )
    def get(self, request: Request, slug: str) -> Response:
        """List the public pairs."""
        _, phase = _phase(slug, request, self.query["phase"])
        page = page_of_list(public_pairs(phase), self.window(), lambda pair: pair.name)
        return answer_page(page, serializers.PairSerializer, request)


def _phase(slug: str, request: Request, phase: str) -> tuple[CompetitionView, PhaseView]:
    competition = get_competition(slug, request.user)
    return competition, find_phase(competition, phase)


def _slug(phase: PhaseView) -> str:
    return phase.slug
