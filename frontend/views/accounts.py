"""The tokens that programs use."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.selectors import tokens_of
from accounts.services import issue_token, revoke_token
from frontend.forms import TokenForm
from frontend.viewer import signed_in_user


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_tokens(request: HttpRequest) -> HttpResponse:
    """List the user's tokens; make a new one, whose key this answer shows and no later one."""
    user = signed_in_user(request)
    form, key = TokenForm(request.POST or None), ""
    if form.is_valid():
        made = form.cleaned_data
        key = issue_token(user=user, name=made["name"], scopes=made["scopes"], days=made["days"] or None)[1]
        form = TokenForm()
    context = {"form": form, "key": key, "tokens": tokens_of(user)}
    return render(request, "frontend/accounts/tokens.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """Make one of the user's tokens useless."""
    revoke_token(user=signed_in_user(request), token_id=token_id)
    messages.success(request, _("The token no longer works."))
    return redirect("settings_tokens")
