"""Signing up, in and out; where one may be sent afterwards; tokens."""

import pytest
from django.test import Client

from accounts.models import ApiToken, User
from accounts.services import issue_token, use_token

PASSWORD = "a long password 1"
GOOD = {"username": "giulia", "password": "viola da gamba", "password_again": "viola da gamba"}


def test_signing_up_makes_a_user_with_a_team_and_signs_in(client: Client, db: None) -> None:
    answer = client.post("/accounts/sign-up/", GOOD, follow=True)
    assert "Welcome, giulia." in answer.content.decode()
    user = User.objects.get(username="giulia")
    assert user.check_password("viola da gamba")
    assert user.teams.get().name == "giulia"
    assert not user.is_staff


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"username": "rosalba"}, "already exists"),
        ({"username": "ROSALBA"}, "This name is taken."),
        ({"username": "no spaces"}, "Enter a valid username"),
        ({"username": ""}, "This field is required."),
        ({"username": "n" * 101}, "at most 100 characters (it has 101)"),
        ({"password": "12345678", "password_again": "12345678"}, "entirely numeric"),
        ({"password": "short", "password_again": "short"}, "too short"),
        ({"password_again": "something else"}, "not the same"),
    ],
)
def test_a_refused_sign_up_says_why_and_keeps_the_name(
    client: Client, researcher: User, changes: dict[str, str], told: str
) -> None:
    answer = client.post("/accounts/sign-up/", GOOD | changes)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert told in page
    assert User.objects.count() == 1
    assert f'value="{(GOOD | changes)["username"]}"' in page or changes.get("username") == ""
    assert "viola da gamba" not in page


def test_the_longest_name_is_taken(client: Client, db: None) -> None:
    assert client.post("/accounts/sign-up/", GOOD | {"username": "n" * 100}).status_code == 302
    assert User.objects.get().teams.get().name == "n" * 100


def test_signing_in_leads_to_the_page_that_asked(client: Client, researcher: User) -> None:
    page = client.get("/accounts/sign-in/?next=/submissions/").content.decode()
    assert 'name="next" value="/submissions/"' in page
    answer = client.post(
        "/accounts/sign-in/", {"username": "rosalba", "password": PASSWORD, "next": "/submissions/"}
    )
    assert answer.headers["Location"] == "/submissions/"


def test_a_wrong_password_is_told_and_the_name_kept(client: Client, researcher: User) -> None:
    page = client.post("/accounts/sign-in/", {"username": "rosalba", "password": "wrong"}).content.decode()
    assert 'role="alert"' in page
    assert 'value="rosalba"' in page


@pytest.mark.parametrize(
    "target",
    ["https://example.org/", "//example.org/", "javascript:alert(1)", "/\\example.org", "http:example"],
)
def test_nobody_is_sent_to_another_site(client: Client, researcher: User, target: str) -> None:
    sent = [
        client.post("/settings/theme/", {"theme": "dark", "next": target}),
        client.post("/settings/language/", {"language": "en", "next": target}),
        client.post("/accounts/sign-in/", {"username": "rosalba", "password": PASSWORD, "next": target}),
    ]
    assert [answer.headers["Location"] for answer in sent] == ["/", "/", "/"]


def test_signing_out_takes_a_form_not_a_link(client: Client, researcher: User) -> None:
    client.force_login(researcher)
    assert client.get("/accounts/sign-out/").status_code == 405
    assert client.post("/accounts/sign-out/").headers["Location"] == "/"
    assert "Sign in" in client.get("/").content.decode()


def test_the_theme_is_kept_in_a_cookie_and_nonsense_is_not(client: Client, db: None) -> None:
    assert 'data-theme="system"' in client.get("/").content.decode()
    client.post("/settings/theme/", {"theme": "dark", "next": "/status/"})
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.post("/settings/theme/", {"theme": '"><script>', "next": "/"})
    assert client.cookies["theme"].value == "dark"
    client.cookies["theme"] = '"><script>alert(1)</script>'
    assert "<script>alert" not in client.get("/").content.decode()


def test_a_token_is_shown_once_and_works(client: Client, researcher: User) -> None:
    client.force_login(researcher)
    answer = client.post("/settings/tokens/", {"name": "laptop <1>"})
    page = answer.content.decode()
    key = page.split("<code>pst_")[1].split("</code>")[0]
    token = use_token(key=f"pst_{key}")
    assert token is not None
    assert token.user == researcher
    assert "no-store" in answer.headers["Cache-Control"]
    later = client.get("/settings/tokens/").content.decode()
    assert key not in later
    assert "laptop &lt;1&gt;" in later


def test_a_token_without_a_name_is_refused(client: Client, researcher: User) -> None:
    client.force_login(researcher)
    assert client.post("/settings/tokens/", {"name": ""}).status_code == 400
    assert ApiToken.objects.count() == 0


def test_only_the_owner_revokes_a_token(client: Client, researcher: User, stranger: User) -> None:
    token, key = issue_token(user=researcher, name="laptop")
    client.force_login(stranger)
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    assert use_token(key=key) == token
    client.force_login(researcher)
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    assert use_token(key=key) is None
