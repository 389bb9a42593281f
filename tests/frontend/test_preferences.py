"""What a reader chooses for eyes and hands, without an account."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_theme_is_kept_in_a_cookie_and_nonsense_is_not(client: Client) -> None:
    assert 'data-theme="system"' in client.get("/").content.decode()
    client.post("/settings/theme/", {"theme": "dark", "next": "/status/"})
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.post("/settings/theme/", {"theme": '"><script>', "next": "/"})
    assert client.cookies["theme"].value == "dark"
    client.cookies["theme"] = '"><script>alert(1)</script>'
    assert "<script>alert" not in client.get("/").content.decode()


def test_single_keys_can_be_switched_off_and_on(client: Client) -> None:
    assert "keys.js" in client.get("/").content.decode()
    answer = client.post("/settings/shortcuts/", {"shortcuts": "off", "next": "/help/#keys"})
    assert answer.headers["Location"] == "/help/#keys"
    for path in ("/", "/help/"):
        page = client.get(path).content.decode()
        assert "keys.js" not in page
        assert "<dialog" not in page
    client.post("/settings/shortcuts/", {"shortcuts": "on", "next": "/"})
    assert "<dialog" in client.get("/").content.decode()


def test_the_list_of_keys_knows_the_board_of_the_competition_that_is_shown(
    client: Client, phase: object
) -> None:
    assert 'data-board="/c/small/leaderboard/"' in client.get("/c/small/").content.decode()
    assert 'data-board=""' in client.get("/").content.decode()
