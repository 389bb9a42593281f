"""The forms of webhooks: they check shape, never rules."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from competitions.selectors.webhooks import EVENTS, Owner

EVENT_NAMES = {
    "run.finished": _("A run has ended"),
    "board.changed": _("The leaderboard has changed"),
    "phase.opened": _("A phase has opened"),
    "phase.closed": _("A phase has closed"),
}


class EventsForm(forms.Form):
    """What is told."""

    events = forms.MultipleChoiceField(
        label=_("What to tell"),
        choices=[(event, EVENT_NAMES[event]) for event in EVENTS],
        widget=forms.CheckboxSelectMultiple,
    )


class WebhookForm(EventsForm):
    """Whose events are told, and where."""

    owner = forms.ChoiceField(label=_("For"))
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("Of a web server of yours, for example: https://example.org/pastiche."),
    )
    field_order = ("owner", "url", "events")

    def __init__(self, *args: object, owners: Sequence[Owner], **kwargs: object) -> None:
        """Offer what the user runs."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        choices = [(f"{owner.kind}/{owner.slug}", owner.name) for owner in owners]
        self.fields["owner"] = forms.ChoiceField(label=_("For"), choices=choices)

    def chosen_owner(self) -> Owner:
        """Return the choice."""
        return Owner(*self.cleaned_data["owner"].split("/", 1))
