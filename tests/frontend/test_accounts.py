"""Signing up, in and out; addresses and passwords; where one may be sent afterwards; tokens."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import ApiToken, User
from accounts.services import create_user, issue_token, use_token

PASSWORD = "a long password 1"
GOOD = {
    "username": "giulia",
    "email": "giulia@example.org",
    "password1": "viola da gamba",
    "password2": "viola da gamba",
}


@pytest.fixture(autouse=True)
def unhurried() -> None:
    """Forget what earlier tests sent: forms are counted by address."""
    cache.clear()


@pytest.fixture
def painter(db: None) -> User:
    """A user with an address that has been checked."""
    return create_user(username="sofonisba", password=PASSWORD, email="sofonisba@example.org")


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> object:
    return client.post("/accounts/sign-in/", {"login": name, "password": password, **more})


def link_in(message: str) -> str:
    """Return the path of the link in a mail."""
    found = re.search(r"https?://\S+", message)
    assert found is not None
    return urlsplit(found[0]).path


def test_signing_up_makes_a_user_with_a_team_and_signs_in(client: Client, db: None) -> None:
    answer = client.post("/accounts/sign-up/", GOOD, follow=True)
    assert "giulia" in answer.content.decode()
    user = User.objects.get(username="giulia")
    assert user.check_password("viola da gamba")
    assert user.teams.get().name == "giulia"
    assert not user.is_staff
    assert client.get("/submissions/").status_code == 200


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"username": "rosalba"}, "already exists"),
        ({"username": "ROSALBA"}, "already exists"),
        ({"username": "no spaces"}, "Enter a valid username"),
        ({"username": ""}, "This field is required."),
        ({"username": "n" * 101}, "at most 100 characters (it has 101)"),
        ({"email": ""}, "This field is required."),
        ({"email": "nobody"}, "Enter a valid email address"),
        ({"password1": "12345678", "password2": "12345678"}, "entirely numeric"),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password2": "something else"}, "the same password"),
    ],
)
def test_a_refused_sign_up_says_why_and_keeps_what_was_typed(
    client: Client, researcher: User, changes: dict[str, str], told: str
) -> None:
    page = client.post("/accounts/sign-up/", GOOD | changes).content.decode()
    assert told in page
    assert User.objects.count() == 1
    for field in ("username", "email"):
        typed = (GOOD | changes)[field]
        assert f'value="{typed}"' in page or not typed
    assert "viola da gamba" not in page


def test_the_longest_name_is_taken(client: Client, db: None) -> None:
    assert client.post("/accounts/sign-up/", GOOD | {"username": "n" * 100}).status_code == 302
    assert User.objects.get().teams.get().name == "n" * 100


def test_without_a_mail_server_the_page_says_so_and_nobody_is_locked_out(client: Client, db: None) -> None:
    assert "no mail server" in client.get("/accounts/sign-up/").content.decode()
    client.post("/accounts/sign-up/", GOOD)
    assert not EmailAddress.objects.get().verified
    assert client.get("/submissions/").status_code == 200


def test_with_a_mail_server_an_address_is_checked_before_the_first_sign_in(
    client: Client, db: None, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION, settings.SENDS_MAIL = "mandatory", True
    page = client.post("/accounts/sign-up/", GOOD, follow=True).content.decode()
    assert "We have sent you a mail" in page
    assert "no mail server" not in page
    assert client.get("/submissions/").status_code == 302
    link = link_in(str(mail.outbox[0].body))
    assert "Is giulia@example.org the address of giulia?" in client.get(link).content.decode()
    assert not EmailAddress.objects.get().verified  # a scanner of mails that follows links changes nothing
    client.post(link)
    assert EmailAddress.objects.get().verified
    sign_in(client, "giulia", "viola da gamba")
    assert client.get("/submissions/").status_code == 200


def test_an_account_without_an_address_signs_in_where_addresses_are_checked(
    client: Client, researcher: User, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    sign_in(client, "rosalba")
    assert client.get("/submissions/").status_code == 200


def test_signing_up_with_a_known_address_does_not_tell_that_it_is_known(
    client: Client, painter: User, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    taken = client.post("/accounts/sign-up/", GOOD | {"email": painter.email}, follow=True)
    other = Client().post("/accounts/sign-up/", GOOD, follow=True)
    assert taken.redirect_chain == other.redirect_chain
    assert User.objects.count() == 2


def test_a_mail_server_that_is_away_costs_the_mail_not_the_page(
    client: Client, painter: User, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    answer = client.post("/accounts/password/", {"email": painter.email}, follow=True)
    assert answer.status_code == 200
    assert "The mail could not be sent." in answer.content.decode()


@pytest.mark.parametrize("name", ["sofonisba", "Sofonisba", "sofonisba@example.org", "SOFONISBA@example.org"])
def test_name_and_address_sign_in(client: Client, painter: User, name: str) -> None:
    sign_in(client, name)
    assert client.get("/submissions/").status_code == 200


def test_signing_in_leads_to_the_page_that_asked(client: Client, researcher: User) -> None:
    page = client.get("/accounts/sign-in/?next=/submissions/").content.decode()
    assert 'name="next" value="/submissions/"' in page
    assert sign_in(client, "rosalba", next="/submissions/").headers["Location"] == "/submissions/"


def test_a_wrong_password_is_told_and_the_name_kept(client: Client, researcher: User) -> None:
    page = sign_in(client, "rosalba", "wrong").content.decode()
    assert 'role="alert"' in page
    assert 'value="rosalba"' in page
    assert 'value="wrong"' not in page


@pytest.mark.parametrize(
    "target",
    ["https://example.org/", "//example.org/", "javascript:alert(1)", "/\\example.org", "http:example"],
)
def test_nobody_is_sent_to_another_site(client: Client, researcher: User, target: str) -> None:
    sent = [
        client.post("/settings/theme/", {"theme": "dark", "next": target}),
        client.post("/settings/language/", {"language": "en", "next": target}),
        sign_in(client, "rosalba", next=target),
        client.post("/accounts/sign-out/", {"next": target}),
    ]
    assert [answer.headers["Location"] for answer in sent] == ["/", "/", "/", "/"]


def test_signing_out_takes_a_form_not_a_link(client: Client, researcher: User) -> None:
    client.force_login(researcher)
    client.get("/accounts/sign-out/")
    assert client.get("/submissions/").status_code == 200
    assert client.post("/accounts/sign-out/").headers["Location"] == "/"
    assert client.get("/submissions/").status_code == 302


def test_a_lost_password_is_replaced_by_a_link_that_works_once(client: Client, painter: User) -> None:
    client.post("/accounts/password/", {"email": painter.email})
    link = link_in(str(mail.outbox[0].body))
    form = client.get(link, follow=True)
    address = form.redirect_chain[-1][0]
    new = {"password1": "a new password 9", "password2": "a new password 9"}
    client.post(address, new)
    painter.refresh_from_db()
    assert painter.check_password("a new password 9")
    assert "used, or is too old" in Client().get(link).content.decode()


def test_whether_an_address_is_known_is_not_told_by_lost_passwords(client: Client, painter: User) -> None:
    pages = [
        client.post("/accounts/password/", {"email": address}, follow=True).redirect_chain
        for address in (painter.email, "nobody@example.org")
    ]
    assert pages[0] == pages[1]


def test_the_password_changes_for_who_knows_the_old_one(client: Client, painter: User) -> None:
    client.force_login(painter)
    new = {"password1": "a new password 9", "password2": "a new password 9"}
    assert 'role="alert"' in client.post("/settings/password/", new | {"oldpassword": "x"}).content.decode()
    client.post("/settings/password/", new | {"oldpassword": PASSWORD})
    painter.refresh_from_db()
    assert painter.check_password("a new password 9")
    assert client.get("/submissions/").status_code == 200


def test_addresses_are_added_checked_chosen_and_removed(client: Client, painter: User) -> None:
    sign_in(client, "sofonisba")
    client.post("/settings/email/", {"action_add": "", "email": "new@example.org"})
    client.post(link_in(str(mail.outbox[0].body)))
    client.post("/settings/email/", {"action_primary": "", "email": "new@example.org"})
    client.post("/settings/email/", {"action_remove": "", "email": "sofonisba@example.org"})
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [
        ("new@example.org", True, True)
    ]


def test_the_texts_of_the_library_are_chinese_too(client: Client, painter: User) -> None:
    client.cookies["django_language"] = "zh-hans"
    page = sign_in(client, "sofonisba", "wrong").content.decode()
    assert "您提供的用户名或密码不正确。" in page
    client.post("/accounts/password/", {"email": painter.email})
    assert "密码" in str(mail.outbox[0].subject)


def test_the_form_of_the_admin_is_ours(client: Client, researcher: User) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.headers["Location"].startswith("/accounts/sign-in/?next=")
    client.force_login(researcher)
    assert client.get("/admin/login/").status_code == 403


def test_a_token_is_shown_once_and_works(client: Client, researcher: User) -> None:
    client.force_login(researcher)
    fields = {"name": "laptop <1>", "scopes": ["read", "submit"], "days": "30"}
    answer = client.post("/settings/tokens/", fields)
    page = answer.content.decode()
    key = page.split("<code>pst_")[1].split("</code>")[0]
    token = use_token(key=f"pst_{key}")
    assert token is not None
    assert token.user == researcher
    assert token.scopes == "read submit"
    assert token.expires_at is not None
    assert abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    assert "no-store" in answer.headers["Cache-Control"]
    later = client.get("/settings/tokens/").content.decode()
    assert key not in later
    assert "laptop &lt;1&gt;" in later
    assert "<code>read submit</code>" in later
    assert f"{token.expires_at:%Y-%m-%d}" in later


def test_a_token_may_work_until_it_is_revoked(client: Client, researcher: User) -> None:
    client.force_login(researcher)
    client.post("/settings/tokens/", {"name": "server", "scopes": ["organize"], "days": "0"})
    token = ApiToken.objects.get()
    assert (token.scopes, token.expires_at) == ("organize", None)


@pytest.mark.parametrize(
    "wrong", [{"scopes": []}, {"scopes": ["everything"]}, {"days": "31"}, {"days": ""}, {"days": "-1"}]
)
def test_a_token_of_another_kind_is_refused(
    client: Client, researcher: User, wrong: dict[str, object]
) -> None:
    client.force_login(researcher)
    fields = {"name": "laptop", "scopes": ["read"], "days": "30"} | wrong
    assert client.post("/settings/tokens/", fields).status_code == 400
    assert ApiToken.objects.count() == 0


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
