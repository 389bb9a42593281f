"""Say in words what the states, directions and families of the domain are called."""

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

register = template.Library()
Label = str | Promise

LABELS: dict[str, Label] = {
    "upcoming": _("not open yet"),
    "open": pgettext_lazy("state of a competition", "open"),
    "closed": _("closed"),
    "queued": _("queued"),
    "claimed": _("loading"),
    "loading": _("loading"),
    "generating": _("generating"),
    "scoring": _("scoring"),
    "publishing": _("publishing"),
    "scored": _("scored"),
    "failed": _("failed"),
    "cancelled": _("cancelled"),
    "lower": _("lower is better"),
    "higher": _("higher is better"),
    "participant": _("the submission"),
    "platform": _("the platform"),
    "best": _("best"),
    "latest": _("latest"),
    "confirmed": _("confirmed"),
    "dismissed": _("dismissed"),
}


@register.filter
def label(state: str) -> Label:
    """Return the word for a state; an unknown one stands for itself."""
    return LABELS.get(str(state), str(state))
