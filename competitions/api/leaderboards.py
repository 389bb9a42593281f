"""Boards: what was written of one is sent again until it says something new."""

import csv
import hashlib
import io
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from competitions.api import requests
from competitions.api.base import ApiView
from competitions.api.boards import LeaderboardSerializer, SliceSerializer
from competitions.api.contract import JSON, describe
from competitions.errors import NotFound
from competitions.selectors.access import Viewer
from competitions.selectors.board_versions import BoardNow, board_now, kept
from competitions.selectors.competitions import find_phase, get_competition
from competitions.selectors.leaderboards import Leaderboard as Board
from competitions.selectors.leaderboards import RowView, leaderboard
from competitions.selectors.reordering import reordered, slice_size
from competitions.spreadsheets import safe_cell

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The ETag of the board that the caller has; it is sent again only if it says something new.",
)
NOT_MODIFIED = OpenApiResponse(description="The caller has the newest board.")
PLACES = ("rank", "rank_low", "rank_high", "group", "group_last", "p_next")
NAMES = ("name", "team", "kind", "submission_id", "run_id", "n_valid", "unranked_reason")


class Leaderboard(ApiView):
    """The newest board of a phase; its entity tag covers all that it says."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a stranger who asks for nothing in particular, as most do, without the framework's preparations.

        They take longer than the answer. Whatever is to be refused goes the long way.
        """
        if _is_plain(request):
            now = board_now(kwargs["slug"], "", AnonymousUser())
            if now is not None and all(brake.allow_request(request, self) for brake in self.get_throttles()):  # type: ignore[arg-type]
                response = _answer(request, AnonymousUser(), now, as_json, JSON)
                for name, value in self.default_response_headers.items():
                    response[name] = value
                return response
        return super().dispatch(request, *args, **kwargs)

    @describe(
        "getLeaderboard",
        {200: LeaderboardSerializer, 304: NOT_MODIFIED},
        query=requests.PhaseQuery,
        headers=[IF_NONE_MATCH],
        refusals=(403,),
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Show the board with its slices, or answer 304 where the caller has it."""
        now = _asked(slug, self.query["phase"], request)
        return _answer(request._request, request.user, now, as_json, JSON)


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
        now = _asked(slug, self.query["phase"], request)
        response = _answer(request._request, request.user, now, as_csv, "text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{slug}-{now.phase}.csv"'
        return response


class LeaderboardSlice(ApiView):
    """The newest board of a phase by one slice of its pairs."""

    @describe("getLeaderboardSlice", {200: SliceSerializer}, query=requests.SliceQuery, refusals=(403, 409))
    def get(self, request: Request, slug: str) -> Response:
        """Order the board by a style family, a culture or a kind of content, unless it has too few pairs of it."""
        axis, label = self.query["axis"], self.query["slice"]
        competition = get_competition(slug, request.user)
        board = leaderboard(competition, find_phase(competition, self.query["phase"]))
        size = slice_size(board, axis, label)
        answer = {
            "competition": slug,
            "phase": board.phase.slug,
            "suite": board.suite,
            "axis": axis,
            "slice": label,
            "n_pairs": size.n_pairs,
            "n_styles": size.n_styles,
            "rows": reordered(board.rows, lambda row: row.slices.get(axis, {}).get(label)),
        }
        return Response(SliceSerializer(answer).data)


def _asked(slug: str, phase: str, request: Request) -> BoardNow:
    """Find the board, or say what is missing."""
    now = board_now(slug, phase, request.user)
    if now is None:
        find_phase(get_competition(slug, request.user), phase)
        raise NotFound("There is no such board.")
    return now


def _is_plain(request: HttpRequest) -> bool:
    """Say whether a request names neither a caller nor a wish."""
    named = ("HTTP_AUTHORIZATION", "HTTP_COOKIE", "QUERY_STRING", "CONTENT_LENGTH")
    takes_json = request.META.get("HTTP_ACCEPT", "*/*") in ("*/*", JSON)
    return request.method in ("GET", "HEAD") and takes_json and not any(map(request.META.get, named))


def _answer(
    request: HttpRequest, viewer: Viewer, now: BoardNow, write: Callable[[Board], bytes], content_type: str
) -> HttpResponseBase:
    """Send the board as it is written, unless the caller has it; it says the same to all who may see it."""

    def tagged() -> tuple[str, bytes]:
        competition = get_competition(now.competition, viewer)
        content = write(leaderboard(competition, find_phase(competition, now.phase)))
        return f'"{hashlib.sha256(content).hexdigest()}"', content

    tag, content = kept(write.__name__, now.phase_pk, now.number, tagged)
    response = HttpResponse(content, content_type=content_type)
    response["ETag"] = tag
    return get_conditional_response(request, tag, response=response) or response


def as_json(board: Board) -> bytes:
    """Write a board with all it says."""
    return bytes(JSONRenderer().render(LeaderboardSerializer(board).data))


def as_csv(board: Board) -> bytes:
    """Write a line for each row of a board."""
    return _table(board.rows).encode()


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
        writer.writerow([safe_cell(value) for value in (*known, *(n for three in numbers for n in three))])
    return text.getvalue()


def _numbers(row: RowView, metric: str) -> tuple[float | None, float | None, float | None]:
    found = row.values.get(metric)
    return (found.value, found.low, found.high) if found else (None, None, None)
