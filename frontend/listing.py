"""Which competitions a list shows: filters that are links, so that a list can be shared."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from competitions.selectors.cards import CardView
from frontend.boards import Choice, axis_names
from frontend.templatetags.states import label

STATES = ("open", "upcoming", "closed")
AXES = ("culture", "style_family")
MAX_SEARCH = 80
TITLES = {"state": gettext_lazy("State"), "task": gettext_lazy("Task")}


@dataclass(frozen=True)
class Listing:
    """What is asked of the list; `note` says what of the address was not understood."""

    chosen: dict[str, str] = field(default_factory=dict)
    search: str = ""
    note: str = ""

    def link(self, **changes: str) -> str:
        """Write the address of this list with some filters changed; an empty value takes one off."""
        query = {**self.chosen, "q": self.search, **changes}
        return "?" + urlencode({name: value for name, value in query.items() if value})

    def has(self, card: CardView) -> bool:
        """Say whether a competition passes all filters."""
        found = all(self.chosen.get(axis, "") in ("", *card.labels[axis]) for axis in AXES)
        text = f"{card.competition.title} {card.competition.summary}".casefold()
        is_in_state = self.chosen.get("state", "") in ("", state_of(card))
        has_task = self.chosen.get("task", "") in ("", *_tasks_of(card))
        return found and is_in_state and has_task and self.search.casefold() in text


def state_of(card: CardView) -> str:
    """Return the state of the phase that matters now."""
    return card.competition.phase.state if card.competition.phase else "upcoming"


def read_listing(query: QueryDict, cards: Sequence[CardView]) -> Listing:
    """Read the address; a value that makes no sense leaves the whole list and a note."""
    chosen: dict[str, str] = {}
    for name in (*TITLES, *AXES):
        value = query.get(name, "")
        if value and value not in _values(name, cards):
            return Listing(note=_("“{text}” means nothing here.").format(text=value[:MAX_SEARCH]))
        chosen[name] = value
    return Listing(chosen, " ".join(query.get("q", "").split())[:MAX_SEARCH])


def filters(listing: Listing, cards: Sequence[CardView]) -> list[tuple[str, list[Choice]]]:
    """List the filters with their values; one that could not choose anything is left out."""
    names = {**{name: str(title) for name, title in TITLES.items()}, **axis_names()}
    made = []
    for name in (*TITLES, *AXES):
        values = _values(name, cards)
        if len(values) < 2:
            continue
        every = Choice(_("all"), listing.link(**{name: ""}), not listing.chosen.get(name))
        some = [
            Choice(_shown(name, value), listing.link(**{name: value}), listing.chosen.get(name) == value)
            for value in values
        ]
        made.append((names[name], [every, *some]))
    return made


def ways_out(listing: Listing) -> list[Choice]:
    """For a list that came out empty: links that take off one filter each."""
    found = [
        Choice(_shown(name, value), listing.link(**{name: ""}))
        for name, value in listing.chosen.items()
        if value
    ]
    return [*found, Choice(listing.search, replace(listing, search="").link())] if listing.search else found


def _shown(name: str, value: str) -> str:
    return str(label(value)) if name == "state" else value


def _tasks_of(card: CardView) -> tuple[str, ...]:
    """Name what its runs are scored by: that says at which size to paint, and what counts."""
    return (card.competition.phase.suite.id,) if card.competition.phase else ()


def _values(name: str, cards: Sequence[CardView]) -> Sequence[str]:
    if name == "state":
        return STATES
    if name == "task":
        return sorted({task for card in cards for task in _tasks_of(card)})
    return sorted({value for card in cards for value in card.labels[name]})
