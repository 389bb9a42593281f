"""Flags and disqualifications on the pages: who sees which, and how organizers give their verdict."""

import re

import pytest
from django.test import Client

from accounts.models import User
from competitions.models import Competition, Disqualification, Run, RunFlag
from competitions.services.flags import RaisedFlag, record_flags, review_flag

BOARD = "/c/small/leaderboard/"
CONFIRMED = "Outputs are the content image."
SEEN = "On 9 of 10 pairs the output is <the> content image."
OPEN = "Outputs do not depend on the style image."
ROLES = ("nobody", "stranger", "researcher", "organizer", "staff")


@pytest.fixture
def flagged(scored: Run, organizer: User) -> Run:
    """The scored run with one flag that was confirmed and one that waits."""
    record_flags(
        scored, [RaisedFlag("COPY_CONTENT", 0.9, 0.5, SEEN), RaisedFlag("IGNORES_STYLE", 1.0, 0.75, "Seen.")]
    )
    chosen = scored.flags.get(code="COPY_CONTENT").pk
    review_flag(flag_id=chosen, user=organizer, verdict="confirmed", note="Told them.")
    return scored


@pytest.mark.parametrize("role", ROLES)
def test_confirmed_flags_are_for_all_and_open_ones_for_organizers(
    client: Client, flagged: Run, request: pytest.FixtureRequest, role: str
) -> None:
    if role != "nobody":
        client.force_login(request.getfixturevalue(role))
    page = client.get(f"/s/{flagged.submission_id}/").content.decode()
    assert page.count(CONFIRMED) == 3  # a chip with its title, and the section
    assert "On 9 of 10 pairs the output is &lt;the&gt; content image." in page
    is_organizer = role in ("organizer", "staff")
    for text in (OPEN, "IGNORES_STYLE", "Told them.", "by organizer,", "/review/", "It waits for a verdict."):
        assert (text in page) == is_organizer, text
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    board = client.get(BOARD).content.decode()
    assert f'title="{CONFIRMED}"' in board
    assert "IGNORES_STYLE" not in board


def test_a_run_without_flags_has_no_section_for_them(client: Client, scored: Run, organizer: User) -> None:
    client.force_login(organizer)
    page = client.get(f"/s/{scored.submission_id}/").content.decode()
    assert 'id="flags"' not in page
    assert "chip warn" not in client.get(BOARD).content.decode()


def test_the_buttons_of_the_page_give_the_verdict(client: Client, flagged: Run, organizer: User) -> None:
    client.force_login(organizer)
    flag = flagged.flags.get(code="IGNORES_STYLE")
    page = client.get(f"/s/{flagged.submission_id}/").content.decode()
    assert f'action="/flags/{flag.pk}/review/"' in page
    sent = client.post(f"/flags/{flag.pk}/review/", {"verdict": "dismissed", "note": "Fine."}, follow=True)
    assert sent.redirect_chain == [(f"/s/{flagged.submission_id}/", 302)]
    assert "The verdict was stored." in sent.content.decode()
    flag.refresh_from_db()
    assert (flag.verdict, flag.note, flag.reviewed_by) == ("dismissed", "Fine.", organizer)


def test_verdicts_need_an_organizer_a_token_and_a_known_word(
    client: Client, flagged: Run, organizer: User, researcher: User
) -> None:
    waiting = flagged.flags.get(code="IGNORES_STYLE").pk
    confirmed = flagged.flags.get(code="COPY_CONTENT").pk
    url, fields = f"/flags/{waiting}/review/", {"verdict": "confirmed"}
    assert client.post(url, fields).headers["Location"].startswith("/accounts/sign-in/")
    client.force_login(researcher)
    assert client.post(url, fields).status_code == 404
    assert client.post(f"/flags/{confirmed}/review/", {"verdict": "open"}).status_code == 403
    client.force_login(organizer)
    assert client.post(url, {"verdict": "maybe"}).status_code == 400
    assert client.post(url, {}).status_code == 400
    assert client.post(url, {**fields, "note": "x" * 501}).status_code == 400
    assert client.post(f"/flags/{10**30}/review/", fields).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(organizer)
    assert strict.post(url, fields).status_code == 403
    assert dict(RunFlag.objects.values_list("code", "verdict")) == {
        "COPY_CONTENT": "confirmed",
        "IGNORES_STYLE": "open",
    }


def test_a_disqualified_submission_stands_below_the_table_with_the_reason(
    client: Client, scored: Run, organizer: User
) -> None:
    Disqualification.objects.create(submission=scored.submission, reason="It <copies>.", decided_by=organizer)
    board = client.get(BOARD).content.decode()
    below = board.partition('id="disqualified"')[2]
    assert f'href="/s/{scored.submission_id}/"' in below
    assert "It &lt;copies&gt;." in below
    assert "It &lt;copies&gt;." in client.get(f"/s/{scored.submission_id}/").content.decode()
    body = client.get("/api/v1/competitions/small/leaderboard/").json()
    assert body["rows"] == []
    assert body["disqualified"] == [
        {
            "submission": str(scored.submission_id),
            "name": "identity",
            "team": "rosalba",
            "reason": "It <copies>.",
        }
    ]


def test_all_is_said_in_chinese_too(client: Client, flagged: Run, competition: Competition) -> None:
    client.cookies["django_language"] = "zh-hans"
    page = client.get(f"/s/{flagged.submission_id}/").content.decode()
    assert CONFIRMED not in page
    assert "输出就是内容图" in page
