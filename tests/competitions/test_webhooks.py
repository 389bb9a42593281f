"""Webhooks: who is told what, how messages are signed and tried again, and where none of them may lead."""

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Team, User
from accounts.services import create_team
from competitions import webhook_line
from competitions.clock import in_seconds
from competitions.errors import AddressRefused, NotAllowed, NotFound, TooManyWebhooks
from competitions.models import Competition, Outbox, Phase, Run, Submission, Webhook, WebhookDelivery
from competitions.selectors.webhooks import EVENTS, MOST, Owner
from competitions.services import outbox, webhook_delivery, webhooks
from competitions.services.submissions import cancel_submission
from competitions.services.webhook_delivery import KEPT_DAYS, PAUSES
from competitions.webhook_line import check_address
from tests.receiver import Receiver, receiving

Make = Callable[..., Webhook]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """A receiver on this machine, as on a closed network."""
    settings.WEBHOOKS_TO_PRIVATE = True
    with receiving() as found:
        yield found


@pytest.fixture
def of_team(receiver: Receiver, researcher: User, team: Team) -> Webhook:
    """A webhook of the researcher's team of one for everything."""
    owner = Owner(Owner.TEAM, team.slug)
    return webhooks.create_webhook(user=researcher, owner=owner, url=f"{receiver.url}team?a=1", events=EVENTS)


@pytest.fixture
def of_competition(receiver: Receiver, organizer: User, competition: Competition) -> Webhook:
    """A webhook of the competition for everything."""
    owner = Owner(Owner.COMPETITION, competition.slug)
    return webhooks.create_webhook(user=organizer, owner=owner, url=f"{receiver.url}all", events=EVENTS)


def told(hook: Webhook) -> list[str]:
    return [row.event for row in WebhookDelivery.objects.filter(webhook=hook).order_by("created_at", "pk")]


def make_due() -> None:
    Outbox.objects.update(not_before=in_seconds(-1))


def test_a_run_that_ends_is_told_to_its_team_and_to_the_organizers(
    of_team: Webhook,
    of_competition: Webhook,
    submission: Submission,
    evaluate: Callable[[Submission], Run],
    receiver: Receiver,
) -> None:
    run = evaluate(submission)
    assert sorted(told(of_team)) == sorted(told(of_competition)) == ["board.changed", "run.finished"]
    assert webhook_delivery.flush() == 4
    assert {taken.path for taken in receiver.taken} == {"/team?a=1", "/all"}
    (message,) = [
        json.loads(taken.body)
        for taken in receiver.taken
        if taken.path == "/all" and "run.finished" in taken.body
    ]
    assert message["data"] == {
        "competition": "small",
        "phase": "main",
        "team": "rosalba",
        "submission": str(submission.pk),
        "run": str(run.pk),
        "purpose": "score",
        "state": "scored",
        "failure_code": None,
    }
    assert set(WebhookDelivery.objects.values_list("state", "attempts", "status")) == {("delivered", 1, 204)}
    assert not Outbox.objects.filter(topic="webhook").exists()


def test_a_message_is_signed_over_id_moment_and_body(
    of_team: Webhook, submission: Submission, researcher: User, receiver: Receiver
) -> None:
    cancel_submission(submission_id=submission.pk, user=researcher)
    webhook_delivery.flush()
    (taken,) = receiver.taken
    delivery = WebhookDelivery.objects.get()
    moment = taken.headers["webhook-timestamp"]
    assert abs(int(moment) - time.time()) < 60
    assert taken.headers["webhook-id"] == str(delivery.pk)
    key = base64.b64decode(of_team.secret.removeprefix("whsec_"))
    assert len(key) == 32
    expected = hmac.new(key, f"{delivery.pk}.{moment}.{taken.body}".encode(), hashlib.sha256).digest()
    assert taken.headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"


def test_others_are_not_told(
    receiver: Receiver, of_team: Webhook, submission: Submission, researcher: User, stranger: User
) -> None:
    other = webhooks.create_webhook(
        user=stranger, owner=Owner(Owner.TEAM, "stranger"), url=receiver.url, events=EVENTS
    )
    picky = webhooks.create_webhook(
        user=researcher, owner=Owner(Owner.TEAM, "rosalba"), url=receiver.url, events=["board.changed"]
    )
    webhooks.change_webhook(webhook_id=of_team.pk, user=researcher, events=EVENTS, is_active=False)
    cancel_submission(submission_id=submission.pk, user=researcher)
    assert told(other) == told(picky) == told(of_team) == []


def test_a_transaction_that_is_rolled_back_tells_nothing(
    of_team: Webhook, submission: Submission, researcher: User
) -> None:
    with transaction.atomic():
        cancel_submission(submission_id=submission.pk, user=researcher)
        assert told(of_team) == ["run.finished"]
        transaction.set_rollback(True)
    assert told(of_team) == []
    assert not Outbox.objects.filter(topic="webhook").exists()


def test_what_is_refused_is_tried_again_after_growing_pauses_and_then_fails(
    of_team: Webhook, submission: Submission, researcher: User, receiver: Receiver
) -> None:
    receiver.status = 500
    cancel_submission(submission_id=submission.pk, user=researcher)
    for n, pause in enumerate(PAUSES, start=1):
        assert webhook_delivery.flush() == 0
        row, delivery = Outbox.objects.get(topic="webhook"), WebhookDelivery.objects.get()
        assert (delivery.state, delivery.attempts, delivery.status) == ("pending", n, 500)
        assert abs((row.not_before - timezone.now()).total_seconds() - pause) < 5
        webhook_delivery.flush()
        assert len(receiver.taken) == n  # not before its time
        make_due()
    webhook_delivery.flush()
    assert (WebhookDelivery.objects.get().state, len(receiver.taken)) == ("failed", len(PAUSES) + 1)
    assert not Outbox.objects.filter(topic="webhook").exists()
    assert list(PAUSES) == sorted(set(PAUSES))


def test_a_receiver_that_is_away_gets_its_message_later(
    of_team: Webhook, submission: Submission, researcher: User, receiver: Receiver
) -> None:
    Webhook.objects.update(url="http://127.0.0.1:1/")
    cancel_submission(submission_id=submission.pk, user=researcher)
    assert webhook_delivery.flush() == 0
    assert "refused" in WebhookDelivery.objects.get().error.lower()
    Webhook.objects.update(url=receiver.url)
    make_due()
    assert webhook_delivery.flush() == 1
    assert WebhookDelivery.objects.get().error == ""


def test_redirects_are_not_followed(
    of_team: Webhook, submission: Submission, researcher: User, receiver: Receiver
) -> None:
    receiver.status = 307
    cancel_submission(submission_id=submission.pk, user=researcher)
    webhook_delivery.flush()
    assert [taken.path for taken in receiver.taken] == ["/team?a=1"]
    assert WebhookDelivery.objects.get().error == "Redirects are not followed."


def test_an_answer_that_trickles_in_is_cut_off(
    of_team: Webhook,
    submission: Submission,
    researcher: User,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook_line, "SECONDS", 0.5)
    receiver.drip = 0.05
    cancel_submission(submission_id=submission.pk, user=researcher)
    start = time.monotonic()
    webhook_delivery.flush()
    assert time.monotonic() - start < 5
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status, delivery.error) == ("pending", None, "No answer in time.")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://169.254.169.254/latest/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[fc00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
    ],
)
def test_private_addresses_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused, match="private network"):
        check_address(url, may_be_private=False)


@pytest.mark.parametrize("url", ["http://93.184.215.14/", "https://[2606:4700::1111]:8443/a?b=c"])
def test_public_addresses_are_taken(url: str) -> None:
    assert check_address(url, may_be_private=False) in url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "ftp://93.184.215.14/",
        "file:///etc/passwd",
        "http://",
        "http://93.184.215.14:99999/",
        "http://93.184.215.14:0/",
        "http://user:word@93.184.215.14/",
        "http://93.184.215.14/#part",
        "http://93.184.215.14/a b",
        "http://93.184.215.14/\r\nX-More: 1",
        "http://[::1/",
        "http://does-not-exist.invalid/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(url, may_be_private=True)


def test_a_name_that_leads_elsewhere_by_then_is_refused_at_delivery(
    of_team: Webhook, submission: Submission, researcher: User, receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOKS_TO_PRIVATE = False
    cancel_submission(submission_id=submission.pk, user=researcher)
    webhook_delivery.flush()
    assert receiver.taken == []
    assert WebhookDelivery.objects.get().error == "This address leads into a private network."


def test_the_name_is_asked_for_once_and_one_private_answer_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    answers = [[("93.184.215.14", 80), ("127.0.0.1", 80)], [("127.0.0.1", 80)]]

    def resolve(name: str, *_: object, **__: object) -> list[tuple]:
        asked.append(name)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in found]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(AddressRefused):
        check_address("http://example.org/", may_be_private=False)
    assert asked == ["example.org"]


def test_a_message_goes_to_the_machine_that_was_checked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(receiver.url.rsplit(":", 1)[1].rstrip("/"))
    asked: list[str] = []
    true_one = socket.getaddrinfo

    def resolve(name: str, *rest: object, **more: object) -> object:
        if name != "hooks.example.org":
            return true_one(name, *rest, **more)  # type: ignore[arg-type]
        asked.append(name)
        return true_one("127.0.0.1" if len(asked) == 1 else "192.0.2.1", port, type=socket.SOCK_STREAM)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    letter = webhook_line.Letter(
        f"http://hooks.example.org:{port}/", webhook_line.make_secret(), "id", '{"a": 1}'
    )
    assert webhook_line.send(letter, may_be_private=True).status == 204
    assert (asked, receiver.taken[0].headers["host"]) == (["hooks.example.org"], f"hooks.example.org:{port}")


def test_phases_that_open_and_close_are_told_once(
    of_competition: Webhook, phase: Phase, of_team: Webhook, submission: Submission
) -> None:
    now = timezone.now()
    Phase.objects.update(opens_at=now - timedelta(minutes=1))
    for _ in range(2):
        webhooks.tell_of_phases()
    assert told(of_competition) == told(of_team) == ["phase.opened"]
    Phase.objects.update(closes_at=now - timedelta(seconds=1))
    webhooks.tell_of_phases()
    assert told(of_competition) == ["phase.opened", "phase.closed"]
    Phase.objects.update(closes_at=now - timedelta(milliseconds=1))
    webhooks.tell_of_phases()
    assert told(of_competition) == ["phase.opened", "phase.closed", "phase.closed"]


@pytest.mark.parametrize("changes", [{"is_published": False}, {}])
def test_nothing_is_told_of_hidden_competitions_and_of_old_phases(
    changes: dict, of_competition: Webhook, phase: Phase
) -> None:
    age = timedelta(minutes=1) if changes else timedelta(days=2)
    Phase.objects.update(opens_at=timezone.now() - age)
    Competition.objects.filter(pk=phase.competition_id).update(**changes or {"is_listed": True})
    webhooks.tell_of_phases()
    assert told(of_competition) == []


def test_a_replay_has_an_id_of_its_own_and_the_same_content(
    of_team: Webhook, submission: Submission, researcher: User, stranger: User, receiver: Receiver
) -> None:
    cancel_submission(submission_id=submission.pk, user=researcher)
    webhook_delivery.flush()
    first = WebhookDelivery.objects.get()
    with pytest.raises(NotFound):
        webhooks.replay(webhook_id=of_team.pk, delivery_id=first.pk, user=stranger)
    again = webhooks.replay(webhook_id=of_team.pk, delivery_id=first.pk, user=researcher)
    webhook_delivery.flush()
    assert [taken.body for taken in receiver.taken] == [first.body] * 2
    assert [taken.headers["webhook-id"] for taken in receiver.taken] == [str(first.pk), str(again.pk)]


def test_what_was_switched_off_or_deleted_meanwhile_is_not_sent(
    of_team: Webhook, of_competition: Webhook, submission: Submission, researcher: User, receiver: Receiver
) -> None:
    cancel_submission(submission_id=submission.pk, user=researcher)
    webhooks.change_webhook(webhook_id=of_team.pk, user=researcher, events=EVENTS, is_active=False)
    of_competition.delete()
    assert webhook_delivery.flush() == 0
    assert receiver.taken == []
    assert WebhookDelivery.objects.get().state == "failed"
    assert not Outbox.objects.filter(topic="webhook").exists()


def test_the_other_effects_do_not_wait_for_receivers(
    of_team: Webhook, submission: Submission, researcher: User, receiver: Receiver
) -> None:
    cancel_submission(submission_id=submission.pk, user=researcher)
    outbox.flush()
    assert receiver.taken == []
    assert Outbox.objects.filter(topic="webhook").count() == 1


def test_the_log_is_kept_for_a_month(of_team: Webhook, submission: Submission, researcher: User) -> None:
    cancel_submission(submission_id=submission.pk, user=researcher)
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=KEPT_DAYS + 1))
    webhook_delivery.sweep()
    assert WebhookDelivery.objects.count() == 1  # it is still to be sent
    webhook_delivery.flush()
    webhook_delivery.sweep()
    assert WebhookDelivery.objects.count() == 0


def test_only_owners_of_teams_and_organizers_make_webhooks(
    receiver: Receiver, researcher: User, stranger: User, competition: Competition
) -> None:
    studio = create_team(name="Studio", owner=researcher)
    studio.memberships.create(user=stranger, role="member")
    for owner, error in (
        (Owner(Owner.TEAM, "studio"), NotAllowed),
        (Owner(Owner.TEAM, "rosalba"), NotFound),
        (Owner(Owner.COMPETITION, competition.slug), NotFound),
    ):
        with pytest.raises(error):
            webhooks.create_webhook(user=stranger, owner=owner, url=receiver.url, events=EVENTS)
    assert not Webhook.objects.exists()


def test_there_may_be_so_many_and_no_more(receiver: Receiver, researcher: User, of_team: Webhook) -> None:
    owner = Owner(Owner.TEAM, "rosalba")
    for _ in range(MOST - 1):
        webhooks.create_webhook(user=researcher, owner=owner, url=receiver.url, events=EVENTS)
    with pytest.raises(TooManyWebhooks):
        webhooks.create_webhook(user=researcher, owner=owner, url=receiver.url, events=EVENTS)
