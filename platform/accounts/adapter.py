"""Where signing up meets the rules of this platform: a team of one for everybody, and mail that may fail."""

import logging
from smtplib import SMTPException

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_noop

from accounts.models import User
from accounts.services import ensure_personal_team
from accounts.throttling import client_address

logger = logging.getLogger(__name__)

MAIL_FAILED = gettext_noop("The mail could not be sent. Try again later, or tell the operator.")


class AccountAdapter(DefaultAccountAdapter):
    """What allauth asks the platform about accounts."""

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """Save a new user, and make the team of one that submits in the user's name."""
        super().save_user(request, user, form, commit=commit)
        if commit:
            ensure_personal_team(user=user)
        return user

    def get_login_stages(self) -> list[str]:
        """Put our check of the address in the place of allauth's."""
        ours = {"allauth.account.stages.EmailVerificationStage": "accounts.stages.AddressCheck"}
        return [ours.get(stage, stage) for stage in super().get_login_stages()]

    def get_client_ip(self, request: HttpRequest) -> str:
        """Count requests as everything else here does."""
        return client_address(request)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, object]) -> None:
        """Send a mail; a mail server that is away costs the mail, not the page."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException):
            logger.exception("A mail could not be sent: %s", template_prefix)
            messages.error(self.request, gettext(MAIL_FAILED))
