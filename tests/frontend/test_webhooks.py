"""The pages of webhooks: made with a secret shown once, changed, switched off, read, sent again, deleted."""

import pytest
from django.test import Client

from accounts.models import User
from competitions.models import Competition, Outbox, Webhook, WebhookDelivery

URL = "/settings/webhooks/"
GOOD = {"owner": "team/rosalba", "url": "http://93.184.215.14/hooks", "events": ["run.finished"]}


@pytest.fixture
def member(client: Client, researcher: User) -> Client:
    """The researcher's browser."""
    client.force_login(researcher)
    return client


@pytest.fixture
def hook(member: Client) -> Webhook:
    """A webhook that was made on the page."""
    assert member.post(URL, GOOD).status_code == 200
    return Webhook.objects.get()


def test_a_new_webhook_shows_its_secret_once(member: Client) -> None:
    page = member.post(URL, GOOD).content.decode()
    hook = Webhook.objects.get()
    assert (hook.events, hook.url) == ("run.finished", GOOD["url"])
    assert hook.team is not None
    assert hook.secret in page
    for later in (URL, f"{URL}{hook.pk}/"):
        text = member.get(later).content.decode()
        assert "whsec_" not in text
        assert "93.184.215.14" in text


def test_organizers_make_them_for_competitions(
    client: Client, organizer: User, competition: Competition
) -> None:
    client.force_login(organizer)
    assert '<option value="competition/small">' in client.get(URL).content.decode()
    client.post(URL, GOOD | {"owner": "competition/small"})
    assert Webhook.objects.get().competition == competition


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"url": "http://127.0.0.1/"}, "This address leads into a private network."),
        ({"owner": "competition/small"}, "Select a valid choice"),
        ({"events": []}, "This field is required"),
    ],
)
def test_what_is_wrong_stays_on_the_form(
    change: dict, told: str, member: Client, competition: Competition
) -> None:
    answer = member.post(URL, GOOD | change)
    assert answer.status_code == 400
    assert told in answer.content.decode()
    assert not Webhook.objects.exists()


def test_its_page_changes_events_and_switches_it_off_and_on(member: Client, hook: Webhook) -> None:
    page = f"{URL}{hook.pk}/"
    for fields, events, is_active in (
        ({"events": ["board.changed"]}, "board.changed", True),
        ({"events": ["board.changed"], "off": ""}, "board.changed", False),
        ({"events": ["run.finished", "phase.closed"]}, "run.finished phase.closed", True),
    ):
        assert member.post(page, fields).status_code == 302
        hook.refresh_from_db()
        assert (hook.events, hook.is_active) == (events, is_active)
    assert member.post(page, {}).status_code == 400


def test_the_log_tells_what_came_of_a_message_and_sends_it_again(member: Client, hook: Webhook) -> None:
    sent = WebhookDelivery.objects.create(
        webhook=hook,
        event="run.finished",
        body="{}",
        state="failed",
        attempts=8,
        status=500,
        tried_at=hook.created_at,
        error="The receiver refused it.",
    )
    text = member.get(f"{URL}{hook.pk}/").content.decode()
    for part in ("A run has ended", "not delivered", "8 attempts", "HTTP 500", "The receiver refused it."):
        assert part in text
    assert member.post(f"{URL}{hook.pk}/log/{sent.pk}/replay/").status_code == 302
    again = WebhookDelivery.objects.get(state="pending")
    assert Outbox.objects.get(topic="webhook").key == str(again.pk)


def test_strangers_can_do_nothing(client: Client, hook: Webhook, stranger: User) -> None:
    sent = WebhookDelivery.objects.create(webhook=hook, event="run.finished", body="{}")
    browser = Client()
    browser.force_login(stranger)
    page = f"{URL}{hook.pk}/"
    assert browser.get(page).status_code == 404
    for address in (page, f"{page}delete/", f"{page}log/{sent.pk}/replay/"):
        assert browser.post(address, {"events": ["run.finished"]}).status_code == 404
    assert (Webhook.objects.count(), WebhookDelivery.objects.count()) == (1, 1)


def test_it_can_be_deleted(member: Client, hook: Webhook) -> None:
    assert member.post(f"{URL}{hook.pk}/delete/").headers["Location"] == URL
    assert not Webhook.objects.exists()
