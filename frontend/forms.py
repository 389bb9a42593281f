"""The forms of the pages: they check shape, never rules."""

from collections.abc import Sequence

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Team


class SubmitForm(forms.Form):
    """An archive with what its sender says about it."""

    archive = forms.FileField(
        label=_("Archive"),
        help_text=_("A .zip file with manifest.json at its top."),
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,application/zip"}),
    )
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


class SignInForm(AuthenticationForm):
    """Django's own form, with the cursor where it is needed."""


class SignUpForm(forms.Form):
    """A new account: a name, and a password twice."""

    username = forms.CharField(
        label=_("Username"),
        max_length=Team._meta.get_field("name").max_length,  # the team of one bears the name
        help_text=_("Letters, digits and @ . + - _; shown on leaderboards."),
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "none", "autofocus": True}
        ),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 8 characters, not only digits, and not a common one."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password_again = forms.CharField(
        label=_("Password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_password(self) -> str:
        """Refuse passwords that are easy to guess."""
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password

    def clean(self) -> dict[str, object]:
        """Compare the two passwords."""
        first, second = self.cleaned_data.get("password"), self.cleaned_data.get("password_again")
        if first and second and first != second:
            self.add_error("password_again", ValidationError(_("The two passwords are not the same.")))
        return self.cleaned_data


class TokenForm(forms.Form):
    """The name of a new token."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Where you will use it, for example: laptop.")
    )


class FlagForm(forms.Form):
    """What an organizer makes of a flag."""

    verdict = forms.CharField()
    note = forms.CharField(required=False, max_length=500)


class ReasonForm(forms.Form):
    """Why a submission is taken off the board."""

    reason = forms.CharField(max_length=500)
