"""What organizers make of the flags that a run has raised."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from competitions.errors import InvalidInput
from competitions.services.flags import review_flag
from frontend.forms import FlagForm
from frontend.viewer import signed_in_user


@login_required
@require_POST
def flag_review(request: HttpRequest, flag_id: int) -> HttpResponse:
    """Confirm a flag, dismiss it, or open it again, and show its submission."""
    form = FlagForm(request.POST)
    if not form.is_valid():
        raise InvalidInput(fields={name: " ".join(map(str, found)) for name, found in form.errors.items()})
    flag = review_flag(flag_id=flag_id, user=signed_in_user(request), **form.cleaned_data)
    messages.success(request, _("The verdict was stored."))
    return redirect("submission", flag.run.submission_id)
