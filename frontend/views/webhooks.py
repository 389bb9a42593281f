"""Webhooks: make them, choose what they tell, read their log, send a message again."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from competitions.errors import CompetitionError
from competitions.selectors.webhooks import get_webhook, latest_deliveries, managed_webhooks, owner_of, owners
from competitions.services import webhooks
from frontend.explain import explain
from frontend.viewer import signed_in_user
from frontend.webhook_forms import EVENT_NAMES, EventsForm, WebhookForm


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_list(request: HttpRequest) -> HttpResponse:
    """List the user's webhooks; make a new one, whose secret this answer shows and no later one."""
    user, secret = signed_in_user(request), ""
    choices = owners(user)
    form = WebhookForm(request.POST or None, owners=choices)
    if form.is_valid():
        fields = {name: form.cleaned_data[name] for name in ("url", "events")}
        try:
            secret = webhooks.create_webhook(user=user, owner=form.chosen_owner(), **fields).secret
            form = WebhookForm(owners=choices)
        except CompetitionError as error:
            told = explain(error)
            form.add_error("url", f"{told.sentence} {told.fix}".strip())
    hooks = [(hook, owner_of(hook)) for hook in managed_webhooks(user).order_by("-created_at", "-pk")]
    status = 400 if form.errors else 200
    context = {"form": form, "secret": secret, "hooks": hooks}
    return render(request, "frontend/accounts/webhooks.html", context, status=status)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Show a webhook with its log, and change what it tells."""
    user = signed_in_user(request)
    hook = get_webhook(webhook_id, user)
    typed = request.POST if request.method == "POST" else None
    form = EventsForm(typed, initial={"events": hook.events.split()})
    if form.is_valid():
        chosen = form.cleaned_data["events"]
        is_active = "off" not in request.POST
        webhooks.change_webhook(webhook_id=webhook_id, user=user, events=chosen, is_active=is_active)
        messages.success(request, _("Saved.") if is_active else _("The webhook is switched off."))
        return redirect("webhook", webhook_id)
    log = [(row, EVENT_NAMES[row.event]) for row in latest_deliveries(hook)]
    context = {"hook": hook, "owner": owner_of(hook), "form": form, "log": log}
    return render(request, "frontend/accounts/webhook.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def webhook_delete(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Forget a webhook."""
    webhooks.delete_webhook(webhook_id=webhook_id, user=signed_in_user(request))
    messages.success(request, _("The webhook is gone."))
    return redirect("webhook_list")


@login_required
@require_POST
def webhook_replay(request: HttpRequest, webhook_id: UUID, delivery_id: UUID) -> HttpResponse:
    """Send a message again."""
    webhooks.replay(webhook_id=webhook_id, delivery_id=delivery_id, user=signed_in_user(request))
    messages.success(request, _("It will be sent again within seconds."))
    return redirect("webhook", webhook_id)
