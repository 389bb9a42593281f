"""The forms of signing in and up: allauth's own, with our words."""

from allauth.account.forms import LoginForm, SignupForm
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from accounts.models import Team

LONGEST_NAME = Team._meta.get_field("name").max_length  # the team of one bears the name


class SignInForm(LoginForm):
    """Name or address, and password."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Say what is asked for; the page itself links to the lost password."""
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Username or email")
        self.fields["login"].widget.attrs |= {"autocomplete": "username", "autocapitalize": "none"}
        self.fields["password"].help_text = ""


class SignUpForm(SignupForm):
    """A new account: a name, an address, and a password twice."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Say what is asked for, and bound the name."""
        super().__init__(*args, **kwargs)
        name = self.fields["username"]
        name.help_text = _("Letters, digits and @ . + - _; shown on leaderboards.")
        name.max_length = LONGEST_NAME
        name.validators = [MaxLengthValidator(LONGEST_NAME), *name.validators]
        name.widget.attrs |= {"autocapitalize": "none", "maxlength": str(LONGEST_NAME)}
        self.fields["email"].help_text = _("For lost passwords and news of your account; shown to nobody.")
        self.fields["password1"].help_text = _(
            "At least 8 characters, not only digits, and not a common one."
        )
