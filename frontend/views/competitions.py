"""The home page, the list of competitions, and what one competition is about."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.selectors import teams_of
from competitions.selectors import cards as card_selectors
from competitions.selectors import competitions as selectors
from competitions.selectors import leaderboards
from competitions.selectors.cards import CardView
from competitions.selectors.competitions import PhaseView, QuotaView
from frontend.listing import STATES, filters, read_listing, state_of, ways_out

TOP = 3


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show what the platform is for and the competitions that run or come."""
    cards = [card for card in _cards(request) if state_of(card) in ("open", "upcoming")]
    return render(request, "frontend/home.html", {"cards": cards})


@require_safe
def competition_list(request: HttpRequest) -> HttpResponse:
    """List all competitions, or those that pass the filters of the address."""
    cards = _cards(request)
    listing = read_listing(request.GET, cards)
    context = {
        "cards": [card for card in cards if listing.has(card)],
        "listing": listing,
        "filters": filters(listing, cards),
        "ways_out": ways_out(listing),
        "n_all": len(cards),
    }
    return render(request, "frontend/competition_list.html", context)


@require_safe
def competition(request: HttpRequest, slug: str) -> HttpResponse:
    """Tell what to make, on which pairs, how it is scored, until when and within which limits."""
    found = selectors.get_competition(slug, request.user)
    context: dict[str, object] = {"competition": found, "phase": found.phase}
    if found.phase is not None:
        board = leaderboards.leaderboard(found, found.phase)
        ranked = [row for row in board.rows if row.rank is not None]
        context |= {
            "board": board,
            "top": ranked[:TOP],
            "leader": ranked[0] if ranked else None,
            "quotas": _quotas(request, found.phase),
        }
    return render(request, "frontend/competition.html", context)


def _cards(request: HttpRequest) -> list[CardView]:
    """Put what is open before what comes and what is over; within each, the newest stays first."""
    return sorted(card_selectors.cards(request.user), key=lambda card: STATES.index(state_of(card)))


def _quotas(request: HttpRequest, phase: PhaseView) -> list[tuple[str, QuotaView]]:
    """Count what the viewer's teams have left in an open phase."""
    if phase.state != "open" or not isinstance(request.user, User):
        return []
    teams = teams_of(request.user)
    return [(team.name, left) for team, left in zip(teams, selectors.quotas(phase, teams), strict=True)]
