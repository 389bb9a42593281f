"""Competitions with their phases, boards and public pairs."""

import csv
import hashlib
import io
from collections.abc import Sequence

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers as framework
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from competitions.api import requests, serializers
from competitions.api.base import ApiView, answer_page, quota_of
from competitions.api.boards import LeaderboardSerializer
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
from competitions.selectors.leaderboards import RowView, leaderboard
from competitions.selectors.paging import page_of, page_of_list

NEWEST_FIRST = ("-created_at", "-pk")
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the board that the caller has; it is sent again only if it says something new.",
)
NOT_MODIFIED = OpenApiResponse(description="The caller has the newest board.")
PLACES = ("rank", "rank_low", "rank_high", "group", "group_last", "p_next")
NAMES = ("name", "team", "kind", "submission_id", "run_id", "n_valid", "unranked_reason")


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


class Leaderboard(ApiView):
    """The newest board of a phase; its entity tag covers all that it says."""

    @describe(
        "getLeaderboard",
        {200: LeaderboardSerializer, 304: NOT_MODIFIED},
        query=requests.PhaseQuery,
        headers=[IF_NONE_MATCH],
        refusals=(403,),
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Show the board with its slices, or answer 304 where the caller has it."""
        competition, phase = _phase(slug, request, self.query["phase"])
        answer = LeaderboardSerializer(leaderboard(competition, phase)).data
        return _unless_known(request, Response(answer), JSONRenderer().render(answer))


class LeaderboardTable(ApiView):
    """The newest board of a phase as a table."""

    @describe(
        "getLeaderboardTable",
        {(200, "text/csv"): OpenApiTypes.STR, 304: NOT_MODIFIED},
        query=requests.PhaseQuery,
        headers=[IF_NONE_MATCH],
        refusals=(403,),
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Show the board as comma-separated values, every number in full precision."""
        competition, phase = _phase(slug, request, self.query["phase"])
        content = _table(leaderboard(competition, phase).rows).encode()
        response = HttpResponse(content, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{competition.slug}-{phase.slug}.csv"'
        return _unless_known(request, response, content)


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


def _unless_known(request: Request, response: HttpResponseBase, content: bytes) -> HttpResponseBase:
    """Answer 304 where the caller has this content already."""
    tag = f'"{hashlib.sha256(content).hexdigest()}"'
    response["ETag"] = tag
    return get_conditional_response(request._request, tag, response=response) or response  # type: ignore[arg-type]


def _table(rows: Sequence[RowView]) -> str:
    """Write one line an entry: where it stands, and each metric with its interval."""
    metrics = sorted({metric for row in rows for metric in row.values})
    columns = [f"{metric}{end}" for metric in metrics for end in ("", "_low", "_high")]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([*PLACES, *NAMES, *columns])
    for row in rows:
        numbers = [_numbers(row, metric) for metric in metrics]
        known = [getattr(row, name) for name in (*PLACES, *NAMES)]
        writer.writerow([_cell(value) for value in (*known, *(n for three in numbers for n in three))])
    return text.getvalue()


def _numbers(row: RowView, metric: str) -> tuple[float | None, float | None, float | None]:
    found = row.values.get(metric)
    return (found.value, found.low, found.high) if found else (None, None, None)


def _cell(value: object) -> object:
    """Write a number in full; a text that a spreadsheet would take for a formula is made harmless."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return repr(value) if isinstance(value, float) else value
