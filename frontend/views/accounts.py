"""Sign in, sign out, sign up, and the tokens that programs use."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.selectors import tokens_of
from accounts.services import create_user, issue_token, revoke_token
from frontend.forms import SignInForm, SignUpForm, TokenForm
from frontend.viewer import signed_in_user


class SignIn(LoginView):
    """Sign in, then go to the page that asked for it if that is one of ours."""

    template_name = "frontend/accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Sign out; takes POST only."""

    http_method_names = ["post", "options"]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Create an account and sign in with it."""
    if request.user.is_authenticated:
        return redirect("home")
    form = SignUpForm(request.POST or None)
    if form.is_valid() and (user := _created_user(form)):
        login(request, user)
        messages.success(request, _("Welcome, {name}.").format(name=user.username))
        return redirect("competition_list")
    return render(
        request, "frontend/accounts/sign_up.html", {"form": form}, status=400 if form.errors else 200
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings_tokens(request: HttpRequest) -> HttpResponse:
    """List the user's tokens; make a new one, whose key this answer shows and no later one."""
    user = signed_in_user(request)
    form, key = TokenForm(request.POST or None), ""
    if form.is_valid():
        key = issue_token(user=user, name=form.cleaned_data["name"])[1]
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


def _created_user(form: SignUpForm) -> User | None:
    """Create the user, or put what the service refuses beside its field."""
    try:
        return create_user(username=form.cleaned_data["username"], password=form.cleaned_data["password"])
    except ValidationError as error:
        for field, texts in error.message_dict.items():
            if field in form.fields:
                form.add_error(field, texts)
            else:  # a constraint over the name, such as the one that ignores case
                form.add_error("username", _("This name is taken."))
        return None
