"""What stands between a right password and being signed in, beside the second factor."""

from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from django.http import HttpResponse


class AddressCheck(EmailVerificationStage):
    """The check of the address; accounts that the command line made without one have nothing to check."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Ask whoever has an address to prove it, where the site demands that."""
        user = self.login.user
        if user is not None and not user.email and not EmailAddress.objects.filter(user=user).exists():
            return None, True
        return super().handle()
