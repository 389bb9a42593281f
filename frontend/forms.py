"""The forms of the pages: they check shape, never rules."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Team


class SubmitForm(forms.Form):
    """An archive, or the upload that has brought it in parts, with what its sender says about it."""

    archive = forms.FileField(
        label=_("Archive"),
        required=False,
        help_text=_("A .zip file with manifest.json at its top."),
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,application/zip"}),
    )
    upload = forms.UUIDField(required=False, widget=forms.HiddenInput)
    team = forms.ChoiceField()
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        help_text=_(
            "For your own records: what is new in this version. Only your team and the organizers see it."
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    allow_duplicate = forms.BooleanField(
        label=_("Submit this archive again, although it was submitted before"), required=False
    )

    def __init__(self, *args: object, teams: Sequence[Team], **kwargs: object) -> None:
        """Offer the user's teams."""
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["team"] = forms.ChoiceField(
            label=_("Submit as"), choices=[(team.slug, team.name) for team in teams]
        )

    def clean(self) -> dict[str, object]:
        """Ask for the file, or for an upload that has brought it."""
        fields: dict[str, object] = super().clean() or {}
        if not fields.get("archive") and not fields.get("upload") and "archive" not in self.errors:
            required = self.fields["archive"].error_messages["required"]
            self.add_error("archive", forms.ValidationError(required, code="required"))
        return fields


class TokenForm(forms.Form):
    """The name of a new token, what it may do, and for how many days."""

    SCOPES = (
        ("read", _("Read what you can see")),
        ("submit", _("Submit, cancel and choose in your name")),
        ("organize", _("Change the competitions that you organize")),
    )
    DAYS = ((30, _("30 days")), (90, _("90 days")), (365, _("one year")), (0, _("until it is revoked")))

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Where you will use it, for example: laptop.")
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=SCOPES,
        initial=["read", "submit"],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(label=_("It works for"), choices=DAYS, coerce=int, initial=365)


class FlagForm(forms.Form):
    """What an organizer makes of a flag."""

    verdict = forms.CharField()
    note = forms.CharField(required=False, max_length=500)


class ReasonForm(forms.Form):
    """Why a submission is taken off the board."""

    reason = forms.CharField(max_length=500)


class TeamForm(forms.Form):
    """The name of a new team."""

    name = forms.CharField(
        label=_("Name"),
        max_length=Team._meta.get_field("name").max_length,
        help_text=_("Shown on leaderboards."),
    )
