"""Read what participants are told: announcements, and what organizers changed after publishing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from competitions.errors import NotFound
from competitions.models import Announcement, Competition, Phase
from competitions.selectors.access import Viewer, visible_competitions

# What participants rely on, by the name under which pages show it.
OF_COMPETITION = (
    "title",
    "summary",
    "description",
    "title_zh",
    "summary_zh",
    "description_zh",
    "is_published",
)
OF_PHASE = (
    "title",
    "opens_at",
    "closes_at",
    "suite_id",
    "dataset_version_id",
    "runs_per_day",
    "runs_total",
    "required_coverage",
    "counting",
    "device",
    "memory_mb",
    "load_seconds",
    "pair_seconds",
    "run_seconds",
)
LONG = ("description", "description_zh", "summary", "summary_zh")  # that they changed is told, not how


@dataclass(frozen=True)
class ChangeView:
    """One field that changed; `before` and `after` are empty for long texts and for references."""

    at: datetime
    author: str
    phase: str
    field: str
    before: object = ""
    after: object = ""


@dataclass(frozen=True)
class NewsView:
    """What the organizers told and changed, newest first."""

    announcements: tuple[Announcement, ...]
    changes: tuple[ChangeView, ...]


def news(slug: str, viewer: Viewer) -> NewsView:
    """Return what everybody who sees the competition may know, or raise NotFound."""
    competition = visible_competitions(viewer).filter(slug=slug).first()
    if competition is None:
        raise NotFound(f"There is no competition {slug!r}.")
    told = Announcement.objects.filter(competition=competition).select_related("author")
    return NewsView(tuple(told), tuple(_changes(competition)))


def _changes(competition: Competition) -> list[ChangeView]:
    """Compare each stored state with the one before it, from the moment of publishing on."""
    own = list(competition.history.select_related("history_user").order_by("history_date", "history_id"))
    published = next((row.history_date for row in own if row.is_published), None)
    if published is None:
        return []
    found = _compared(own, OF_COMPETITION)
    of_phases: dict[int, list[Any]] = {}
    rows = Phase.history.filter(competition_id=competition.pk).select_related("history_user")
    for row in rows.order_by("history_date", "history_id"):
        of_phases.setdefault(row.id, []).append(row)
    for states in of_phases.values():
        found += _compared(states, OF_PHASE, phase=states[-1].title)
    since = [change for change in found if change.at >= published and change.field != "is_published"]
    return sorted(since, key=lambda change: change.at, reverse=True)


def _compared(states: Sequence[Any], names: Sequence[str], phase: str = "") -> list[ChangeView]:
    changes = []
    for before, after in zip(states, states[1:], strict=False):
        author = after.history_user.username if after.history_user else ""
        for name, (old, new) in _differences(before, after, names).items():
            is_plain = name not in LONG and not name.endswith("_id")
            shown = (old, new) if is_plain else ("", "")
            changes.append(ChangeView(after.history_date, author, phase, name.removesuffix("_id"), *shown))
    return changes


def _differences(before: Any, after: Any, names: Sequence[str]) -> Mapping[str, tuple[object, object]]:
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
