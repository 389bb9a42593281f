"""Filters of a person's submissions: links that can be kept, and a note about what makes no sense."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.utils.translation import gettext as _

from competitions.selectors.submissions import SubmissionView
from frontend.boards import Choice

# For each filter: the value of a submission, and how it is called.
Reading = Callable[[SubmissionView], tuple[str, str]]


@dataclass(frozen=True)
class Filtered:
    """What is left, the links by name of the filter, and whether the address held something unknown."""

    shown: list[SubmissionView]
    filters: list[tuple[str, list[Choice]]]
    has_nonsense: bool


def filter_submissions(
    submissions: Sequence[SubmissionView], query: Mapping[str, str], finals: frozenset[UUID]
) -> Filtered:
    """Keep what the address asks for; a value that no submission has is left out of account."""
    readings = _readings(finals)
    values = {name: dict(map(read, submissions)) for name, (_title, read) in readings.items()}
    asked = {name: query[name] for name in readings if query.get(name)}
    chosen = {name: value for name, value in asked.items() if value in values[name]}
    shown = [s for s in submissions if all(readings[name][1](s)[0] == chosen[name] for name in chosen)]
    filters = [
        (title, _links(name, values[name], chosen))
        for name, (title, _read) in readings.items()
        if len(values[name]) > 1 or name in chosen
    ]
    return Filtered(shown, filters, has_nonsense=asked != chosen)


def _readings(finals: frozenset[UUID]) -> dict[str, tuple[str, Reading]]:
    states = {
        "live": _("under way"),
        "scored": _("scored"),
        "failed": _("failed"),
        "cancelled": _("cancelled"),
    }

    def state(submission: SubmissionView) -> tuple[str, str]:
        name = "live" if submission.run.is_live else submission.run.state
        return name, states[name]

    def final(submission: SubmissionView) -> tuple[str, str]:
        return ("yes", _("chosen")) if submission.id in finals else ("no", _("not chosen"))

    return {
        "state": (_("State"), state),
        "competition": (_("Competition"), lambda s: (s.competition, s.competition_title)),
        "team": (_("Team"), lambda s: (s.team_slug, s.team)),
        "final": (_("Final"), final),
    }


def _links(name: str, values: Mapping[str, str], chosen: Mapping[str, str]) -> list[Choice]:
    others = {key: value for key, value in chosen.items() if key != name}
    links = [Choice(_("all"), f"?{urlencode(others)}", name not in chosen)]
    return links + [
        Choice(text, f"?{urlencode(others | {name: value})}", chosen.get(name) == value)
        for value, text in sorted(values.items(), key=lambda item: item[1])
    ]
