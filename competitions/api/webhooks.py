"""Addresses that are told what happens: made, changed and deleted by who runs a team or a competition; their log."""

from uuid import UUID

from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken
from competitions.api import requests
from competitions.api.base import READING, ApiView, answer_page, caller, need_scope
from competitions.api.contract import describe
from competitions.api.fields import Flag, Slug, Text
from competitions.api.idempotency import idempotent
from competitions.api.shapes import UtcField, page_shape
from competitions.models import Webhook as WebhookRow
from competitions.selectors.paging import page_of
from competitions.selectors.webhooks import (
    EVENTS,
    Owner,
    deliveries_of,
    get_webhook,
    managed_webhooks,
    owner_of,
)
from competitions.services.webhooks import change_webhook, create_webhook, delete_webhook, replay

NEWEST_FIRST = ("-created_at", "-pk")
SCOPES = {Owner.TEAM: ApiToken.Scope.SUBMIT, Owner.COMPETITION: ApiToken.Scope.ORGANIZE}


class EventsField(serializers.ListField):
    """What is told."""

    child = serializers.ChoiceField(EVENTS)


class NewWebhook(requests.StrictSerializer):
    """Whose events are told: of a team (scope "submit") or a competition (scope "organize"), and where."""

    owner_kind = serializers.ChoiceField((Owner.TEAM, Owner.COMPETITION))
    owner = Slug()
    url = Text(max_length=500)
    events = EventsField(min_length=1, max_length=len(EVENTS))


class WebhookChange(requests.StrictSerializer):
    """What is told from now on, and whether anything is."""

    events = EventsField(min_length=1, max_length=len(EVENTS))
    is_active = Flag()


class WebhookSerializer(serializers.Serializer):
    """A webhook as its owners see it: never its secret."""

    id = serializers.UUIDField()
    owner_kind = serializers.SerializerMethodField()
    owner = serializers.SerializerMethodField()
    url = serializers.CharField()
    events = serializers.SerializerMethodField()
    is_active = serializers.BooleanField()
    created_at = UtcField()

    def get_owner_kind(self, hook: WebhookRow) -> str:
        """Say whether it is a team's or a competition's."""
        return owner_of(hook).kind

    def get_owner(self, hook: WebhookRow) -> str:
        """Name the team or the competition."""
        return owner_of(hook).slug

    def get_events(self, hook: WebhookRow) -> list[str]:
        """Return the words."""
        return hook.events.split()


class NewWebhookSerializer(WebhookSerializer):
    """A new webhook; `secret` is what its messages are signed with, and no later answer shows it."""

    secret = serializers.CharField()


class DeliverySerializer(serializers.Serializer):
    """A message: what it says, and what came of the last attempt."""

    id = serializers.UUIDField()
    event = serializers.CharField()
    state = serializers.CharField()
    attempts = serializers.IntegerField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    milliseconds = serializers.IntegerField(allow_null=True)
    tried_at = UtcField(allow_null=True)
    created_at = UtcField()
    body = serializers.CharField()


class HookView(ApiView):
    """Something about webhooks; which scope a change needs depends on whose webhook it is."""

    permission_classes = (IsAuthenticated,)
    parser_classes = (JSONParser,)

    def check_scope(self, request: Request) -> None:
        """Reads need "read"; the others are looked at when their owner is known."""
        if request.method in READING:
            super().check_scope(request)

    def find(self, request: Request, webhook_id: str) -> UUID:
        """Return the id of a webhook that the caller, and the token, may change."""
        hook = get_webhook(requests.read_id(webhook_id), caller(request))
        need_scope(request, SCOPES[owner_of(hook).kind])
        return hook.pk


class Webhooks(HookView):
    """The webhooks of the caller's teams and competitions."""

    @describe("listWebhooks", {200: page_shape(WebhookSerializer)}, query=requests.PageQuery)
    def get(self, request: Request) -> Response:
        """List the webhooks that the caller manages, newest first."""
        page = page_of(managed_webhooks(caller(request)), self.window(), NEWEST_FIRST)
        return answer_page(page, WebhookSerializer, request)

    @describe(
        "createWebhook",
        {201: NewWebhookSerializer},
        body=NewWebhook,
        example={
            "owner_kind": "team",
            "owner": "rosalba",
            "url": "https://example.org/pastiche",
            "events": ["run.finished"],
        },
        refusals=(404, 409, 422),
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Have an address told from now on; the secret is shown in this answer only."""
        fields = requests.read_body(NewWebhook, request)
        need_scope(request, SCOPES[fields["owner_kind"]])
        owner = Owner(fields["owner_kind"], fields["owner"])
        hook = create_webhook(user=caller(request), owner=owner, url=fields["url"], events=fields["events"])
        return Response(NewWebhookSerializer(hook).data, status=201)


class Webhook(HookView):
    """One webhook."""

    @describe("getWebhook", {200: WebhookSerializer})
    def get(self, request: Request, webhook_id: str) -> Response:
        """Show a webhook."""
        hook = get_webhook(requests.read_id(webhook_id), caller(request))
        return Response(WebhookSerializer(hook).data)

    @describe(
        "changeWebhook",
        {200: WebhookSerializer},
        body=WebhookChange,
        example={"events": ["run.finished", "board.changed"], "is_active": True},
    )
    def put(self, request: Request, webhook_id: str) -> Response:
        """Choose other events, or switch the webhook off or on."""
        key = self.find(request, webhook_id)
        fields = requests.read_body(WebhookChange, request)
        return Response(
            WebhookSerializer(change_webhook(webhook_id=key, user=caller(request), **fields)).data
        )

    @describe("deleteWebhook", {204: None})
    def delete(self, request: Request, webhook_id: str) -> Response:
        """Forget a webhook with its log."""
        delete_webhook(webhook_id=self.find(request, webhook_id), user=caller(request))
        return Response(status=204)


class Deliveries(HookView):
    """What was sent to a webhook."""

    @describe("listDeliveries", {200: page_shape(DeliverySerializer)}, query=requests.PageQuery)
    def get(self, request: Request, webhook_id: str) -> Response:
        """List the messages of the last 30 days, newest first."""
        hook = get_webhook(requests.read_id(webhook_id), caller(request))
        return answer_page(
            page_of(deliveries_of(hook), self.window(), NEWEST_FIRST), DeliverySerializer, request
        )


class ReplayDelivery(HookView):
    """The same message once more."""

    @describe("replayDelivery", {201: DeliverySerializer})
    @idempotent
    def post(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        """Send the same content again, under an id of its own."""
        requests.read_body(requests.Nothing, request)
        key = self.find(request, webhook_id)
        again = replay(webhook_id=key, delivery_id=requests.read_id(delivery_id), user=caller(request))
        return Response(DeliverySerializer(again).data, status=201)
