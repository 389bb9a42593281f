"""The admin of people: whoever is made there can submit, and teams get their members there."""

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import Membership, Team, User
from accounts.selectors import find_team, teams_of
from accounts.services import create_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    """A browser in which an account of `createsuperuser` is signed in."""
    call_command("createsuperuser", "--noinput", "--username", "root", "--email", "root@example.org")
    browser = Client()
    browser.force_login(User.objects.get(username="root"))
    return browser


def members(*rows: tuple[User, str]) -> dict[str, str]:
    """Return the fields of the rows of members in the form of a team."""
    fields = {"memberships-TOTAL_FORMS": str(len(rows)), "memberships-INITIAL_FORMS": "0"}
    for n, (user, role) in enumerate(rows):
        fields |= {f"memberships-{n}-user": str(user.pk), f"memberships-{n}-role": role}
    return fields


def test_a_user_made_in_the_admin_has_a_team_of_one(operator: Client) -> None:
    fields = {"username": "giulia", "usable_password": "true"}
    fields |= {"password1": "viola da gamba", "password2": "viola da gamba"}
    assert operator.post("/admin/accounts/user/add/", fields).status_code == 302
    team = find_team(User.objects.get(username="giulia"), None)
    assert team is not None
    assert (team.name, team.is_personal) == ("giulia", True)


def test_saving_a_user_twice_makes_no_second_team(operator: Client, researcher: User) -> None:
    fields = {"username": "rosalba", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    address = f"/admin/accounts/user/{researcher.pk}/change/"
    assert operator.post(address, fields).status_code == 302
    assert len(teams_of(researcher)) == 1


def test_a_team_is_made_with_its_members_and_is_nobodys_alone(
    operator: Client, researcher: User, stranger: User
) -> None:
    fields = {"name": "Atelier", "slug": "atelier", "is_personal": "on"}
    rows = members((researcher, "owner"), (stranger, "member"))
    assert operator.post("/admin/accounts/team/add/", fields | rows).status_code == 302
    team = Team.objects.get(slug="atelier")
    assert not team.is_personal
    assert set(team.memberships.values_list("user__username", "role")) == {
        ("rosalba", "owner"),
        ("stranger", "member"),
    }


def test_the_page_of_a_team_shows_its_members(operator: Client, researcher: User) -> None:
    row = Membership.objects.get(user=researcher)
    page = operator.get(f"/admin/accounts/team/{row.team_id}/change/").content.decode()
    assert f'<option value="{researcher.pk}" selected>rosalba</option>' in page
    assert operator.get("/admin/accounts/team/", {"q": "rosalba"}).status_code == 200


def test_strangers_do_not_enter() -> None:
    browser = Client()
    browser.force_login(create_user(username="giulia", password="viola da gamba"))
    assert browser.get("/admin/accounts/team/").status_code == 302
