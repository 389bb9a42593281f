"""The pages of teams: who sees them, inviting by a link, and refusals in words."""

import re
from urllib.parse import quote

import pytest
from django.test import Client

from accounts.memberships import invite, join, start_team
from accounts.models import Membership, Team, TeamInvitation, User
from accounts.selectors import token_of


@pytest.fixture
def atelier(researcher: User) -> Team:
    """A team that the researcher owns."""
    return start_team(user=researcher, name="Atelier <1>")


@pytest.fixture
def browser(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


@pytest.fixture
def visitor(stranger: User) -> Client:
    other = Client()
    other.force_login(stranger)
    return other


def test_a_team_is_started_invites_and_is_joined_by_the_link(browser: Client, visitor: Client) -> None:
    address = browser.post("/teams/", {"name": "Venice"}).headers["Location"]
    browser.post(f"{address}invite/")
    link = re.search(r"http://testserver(/join/\S+/)<", browser.get(address).content.decode())
    assert link is not None
    assert "rosalba invites you to the team Venice." in visitor.get(link[1]).content.decode()
    assert visitor.get(address).status_code == 404
    assert visitor.post(link[1]).headers["Location"] == address
    assert "stranger" in visitor.get(address).content.decode()


def test_who_has_not_signed_in_comes_back_to_the_link(
    client: Client, atelier: Team, researcher: User
) -> None:
    link = f"/join/{token_of(invite(team=atelier, user=researcher))}/"
    assert client.get(link).headers["Location"] == f"/accounts/sign-in/?next={quote(link)}"


def test_looking_at_a_link_joins_nothing(visitor: Client, atelier: Team, researcher: User) -> None:
    visitor.get(f"/join/{token_of(invite(team=atelier, user=researcher))}/")
    assert atelier.memberships.count() == 1


@pytest.mark.parametrize("token", ["abc", "MQ:1vMjlo:abc"])
def test_a_forged_link_is_told(visitor: Client, token: str) -> None:
    for answer in (visitor.get(f"/join/{token}/"), visitor.post(f"/join/{token}/")):
        assert "This invitation is not valid" in answer.content.decode()


def test_a_link_that_was_taken_back_no_longer_works(
    browser: Client, visitor: Client, atelier: Team, researcher: User
) -> None:
    invitation = invite(team=atelier, user=researcher)
    visitor.post(f"/teams/{atelier.slug}/invite/{invitation.pk}/revoke/")
    assert "invites you" in visitor.get(f"/join/{token_of(invitation)}/").content.decode()
    browser.post(f"/teams/{atelier.slug}/invite/{invitation.pk}/revoke/")
    assert visitor.post(f"/join/{token_of(invitation)}/").status_code == 400
    assert atelier.memberships.count() == 1


def test_members_see_neither_links_nor_buttons_of_owners(
    visitor: Client, atelier: Team, researcher: User, stranger: User
) -> None:
    token = token_of(invite(team=atelier, user=researcher))
    join(token=token, user=stranger)
    page = visitor.get(f"/teams/{atelier.slug}/").content.decode()
    assert token not in page
    assert 'name="remove"' not in page
    refused = visitor.post(f"/teams/{atelier.slug}/invite/", follow=True).content.decode()
    assert "Only owners of the team may do this." in refused
    assert TeamInvitation.objects.count() == 1


def test_the_last_owner_is_told_why_leaving_is_refused(browser: Client, atelier: Team) -> None:
    page = browser.post(f"/teams/{atelier.slug}/leave/", follow=True).content.decode()
    assert "A team needs an owner, and there is no other one. Make somebody else an owner first." in page
    assert atelier.memberships.count() == 1


def test_roles_change_and_members_leave(
    browser: Client, visitor: Client, atelier: Team, researcher: User, stranger: User
) -> None:
    join(token=token_of(invite(team=atelier, user=researcher)), user=stranger)
    member = f"/teams/{atelier.slug}/members/{stranger.pk}/"
    browser.post(member, {"make_owner": ""})
    assert Membership.objects.get(user=stranger, team=atelier).role == "owner"
    assert (
        "You have left Atelier" in browser.post(f"/teams/{atelier.slug}/leave/", follow=True).content.decode()
    )
    assert browser.get(f"/teams/{atelier.slug}/").status_code == 404
    assert visitor.get(f"/teams/{atelier.slug}/").status_code == 200


def test_a_refused_name_stays_in_the_form(browser: Client) -> None:
    answer = browser.post("/teams/", {"name": "n" * 101})
    assert answer.status_code == 400
    assert f'value="{"n" * 101}"' in answer.content.decode()


def test_names_are_shown_as_text(browser: Client, atelier: Team) -> None:
    for address in ("/teams/", f"/teams/{atelier.slug}/"):
        page = browser.get(address).content.decode()
        assert "Atelier &lt;1&gt;" in page
        assert "Atelier <1>" not in page


def test_a_team_of_one_has_no_buttons(browser: Client) -> None:
    page = browser.get("/teams/rosalba/").content.decode()
    assert "This team is you alone" in page
    assert "Leave the team" not in page
    assert "Make a link" not in page
