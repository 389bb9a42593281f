"""Say in words what the steps, findings and issues of organizing are called."""

from collections.abc import Mapping
from datetime import datetime

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competitions.selectors.organizing import Issue
from frontend.setup_pages import NAMES
from frontend.templatetags.scores import utc
from frontend.templatetags.states import label

register = template.Library()
Label = str | Promise

WEIGHTS: dict[str, Label] = {
    "fatal": gettext_lazy("stops the import"),
    "left_out": gettext_lazy("left out"),
    "warning": gettext_lazy("please look"),
    "changed": gettext_lazy("changed"),
}
AXES: dict[str, Label] = {
    "culture": gettext_lazy("Culture"),
    "style_family": gettext_lazy("Style family"),
    "content_kind": gettext_lazy("Kind of content"),
}
PURPOSES: dict[str, Label] = {
    "dry_run": gettext_lazy("dry run"),
    "rescore": gettext_lazy("rescoring"),
    "baseline": gettext_lazy("baseline"),
}


@register.filter
def step_name(step: str) -> Label:
    """Return the title of a step."""
    return NAMES.get(step, step)


@register.filter
def weight_name(weight: str) -> Label:
    """Say what a finding means."""
    return WEIGHTS.get(str(weight), str(weight))


@register.filter
def axis_name(axis: str) -> Label:
    """Name what pairs are grouped by."""
    return AXES.get(axis, axis)


@register.filter
def purpose_name(purpose: str) -> Label:
    """Say why a run exists, or what a submission is for."""
    return PURPOSES.get(purpose, purpose)


@register.filter
def entry(table: Mapping[str, Label], key: str) -> Label:
    """Look something up; what is not there stands for itself."""
    return table.get(key, key)


@register.filter
def plain_value(value: object) -> object:
    """Write a value of the history: times in UTC, words translated, nothing as a dash."""
    if isinstance(value, datetime):
        return utc(value)
    return label(value) if isinstance(value, str) and value else value if value not in ("", None) else "–"


@register.filter
def issue_text(issue: Issue) -> str:
    """Say what an organizer should see to."""
    texts = {
        "PLATFORM_FAILED": ngettext(
            "{n} run ended by a fault of the platform: run it again.",
            "{n} runs ended by a fault of the platform: run them again.",
            issue.n,
        ),
        "FLAG_OPEN": ngettext(
            "{n} sign that an entry plays the score waits for your verdict.",
            "{n} signs that entries play the score wait for your verdict.",
            issue.n,
        ),
        "NOT_COMPLETE": ngettext(
            "{n} step of the set-up is not complete.", "{n} steps of the set-up are not complete.", issue.n
        ),
        "NOT_PUBLISHED": _("Everything is complete: try it out and publish it."),
        "NEVER_TRIED": _("It was published without a dry run: watch the first entries."),
    }
    return texts[issue.code].format(n=issue.n)
