"""The REST client: addresses, repeats, errors, uploads; against a real HTTP server."""

import socket
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from urllib3.util import Retry

from pastiche.client import Client
from pastiche.errors import CheckFailed, LoginNeeded, NetworkError, PasticheError, Refused
from pastiche.transport import RETRY
from pastiche.upload import FileForm
from tests.pastiche.conftest import TOKEN, Remote, problem

QUICK = RETRY.new(backoff_factor=0.01)
RUN = {"id": "r1", "state": "queued"}
SUBMISSION = {"id": "s1", "competition": "demo", "run": RUN}


def test_token_is_sent_in_the_header(remote: Remote) -> None:
    remote.on("GET", "/me/", {"username": "ada", "teams": []})
    with Client(remote.url + "/", TOKEN) as client:
        assert client.me().username == "ada"
    assert remote.calls[0].headers["Authorization"] == f"Token {TOKEN}"
    assert remote.calls[0].headers["Accept"] == "application/json"


def test_netrc_neither_adds_nor_replaces_the_token(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login mallory password evil\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    remote.on("GET", "/me/", {"username": "ada"})
    for token in (TOKEN, ""):
        with Client(remote.url, token) as client:
            client.me()
    assert [call.headers.get("Authorization") for call in remote.calls] == [f"Token {TOKEN}", None]


def test_unknown_fields_are_kept_for_json_output(remote: Remote) -> None:
    remote.on("GET", "/runs/r1/", RUN | {"brand_new": 1})
    with Client(remote.url) as client:
        assert client.run("r1").model_dump()["brand_new"] == 1


def test_lists_are_read_to_their_last_page(remote: Remote) -> None:
    rows = [{"slug": f"c{i}", "title": "C"} for i in range(3)]
    remote.on("GET", "/competitions/", {"results": rows[:2], "next_offset": 2}, {"results": rows[2:]})
    with Client(remote.url) as client:
        assert [row.slug for row in client.competitions()] == ["c0", "c1", "c2"]
    assert [call.query for call in remote.calls] == ["", "offset=2"]


def test_page_that_points_at_itself_ends_the_list(remote: Remote) -> None:
    remote.on("GET", "/submissions/", {"results": [SUBMISSION], "next_offset": 0})
    with Client(remote.url) as client:
        assert len(client.submissions()) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_reading_is_repeated_where_a_gateway_fails(status: int, remote: Remote) -> None:
    remote.on("GET", "/runs/r1/", (status, b"bad gateway"), (status, b""), RUN)
    with Client(remote.url, retry=QUICK) as client:
        assert client.run("r1").id == "r1"
    assert remote.count("/runs/r1/") == 3


def test_reading_is_repeated_where_the_connection_breaks(remote: Remote) -> None:
    remote.on("GET", "/runs/r1/", (0, b""), (0, b""), RUN)
    with Client(remote.url, retry=QUICK) as client:
        assert client.run("r1").id == "r1"


@pytest.mark.parametrize("status", [0, 500, 502, 503])
def test_writing_is_never_repeated_by_itself(status: int, remote: Remote) -> None:
    remote.on("POST", "/submissions/s1/cancel/", (status, b""))
    with Client(remote.url, retry=QUICK) as client, pytest.raises(NetworkError):
        client.cancel("s1")
    assert remote.count("/submissions/s1/cancel/") == 1


def test_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with (
        Client(f"http://127.0.0.1:{port}", TOKEN, retry=Retry(0)) as client,
        pytest.raises(NetworkError) as refused,
    ):
        client.me()
    assert f"http://127.0.0.1:{port} cannot be reached" in refused.value.message


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, problem("INVALID_INPUT", "No."), Refused),
        (401, problem("NOT_SIGNED_IN", "No."), LoginNeeded),
        (403, problem("NOT_ALLOWED", "No."), Refused),
        (404, problem("NOT_FOUND", "No."), Refused),
        (409, problem("DUPLICATE_SUBMISSION", "No."), Refused),
        (413, problem("UPLOAD_TOO_LARGE", "No."), Refused),
        (422, problem("INVALID_BUNDLE", "No."), CheckFailed),
        (429, problem("QUOTA_EXCEEDED", "No."), Refused),
        (429, problem("TOO_MANY_REQUESTS", "No."), NetworkError),
        (500, problem("INTERNAL_ERROR", "No."), NetworkError),
    ],
)
def test_each_status_becomes_its_error(
    status: int, body: Any, kind: type[PasticheError], remote: Remote
) -> None:
    remote.on("POST", "/submissions/s1/cancel/", body, status=status)
    with Client(remote.url, TOKEN) as client, pytest.raises(kind) as refused:
        client.cancel("s1")
    assert (refused.value.code, refused.value.message) == (body["error"]["code"], "No.")


@pytest.mark.parametrize(
    "body", [b"<h1>Proxy</h1>", b"[]", b'{"error": "text"}', b'{"error": {"fields": 3}}', b""]
)
def test_error_page_of_something_else_is_told_by_its_status(body: bytes, remote: Remote) -> None:
    remote.on("GET", "/me/", (418, body))
    with Client(remote.url) as client, pytest.raises(Refused, match="HTTP status 418"):
        client.me()


@pytest.mark.parametrize("body", [b"", b"<h1>hello</h1>", b"[]", b'{"username": 5}'])
def test_answer_of_another_shape_is_an_error_not_a_traceback(body: bytes, remote: Remote) -> None:
    remote.on("GET", "/me/", body)
    with Client(remote.url) as client, pytest.raises(NetworkError, match="cannot be understood"):
        client.me()


def test_redirect_is_not_followed_with_the_token(remote: Remote) -> None:
    remote.on("GET", "/me/", (302, b""))
    with Client(remote.url, TOKEN) as client, pytest.raises(Refused, match="elsewhere.invalid"):
        client.me()
    assert len(remote.calls) == 1


def test_token_in_an_answer_does_not_reach_the_message(remote: Remote) -> None:
    body = problem("X", f"bad {TOKEN}", f"try not {TOKEN}", token=f"is {TOKEN}")
    remote.on("GET", "/me/", body, status=400)
    with Client(remote.url, TOKEN) as client, pytest.raises(Refused) as refused:
        client.me()
    told = f"{refused.value.message} {refused.value.fix} {refused.value.fields}"
    assert TOKEN not in told
    assert told.count("[token]") == 3


@pytest.mark.parametrize("slug", ["../../admin", "a/b", "..", ".", "x?y=1", "é", ""])
def test_word_of_a_user_cannot_leave_its_place_in_the_address(slug: str, remote: Remote) -> None:
    with Client(remote.url) as client, pytest.raises(Refused):
        client.competition(slug)
    path = remote.calls[0].path
    assert path.startswith("/api/v1/competitions/")
    assert path.count("/") == 5
    assert remote.calls[0].query == ""


def test_upload_arrives_byte_for_byte_with_its_fields(remote: Remote, tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000 + b"\0file\0 --boundary \r\n"
    archive = tmp_path / "größe.zip"
    archive.write_bytes(data)
    sent: list[int] = []
    remote.on("POST", "/submissions/", SUBMISSION, status=201)
    with Client(remote.url, TOKEN) as client:
        submission = client.submit(archive, {"competition": "demo", "note": "größer\n"}, sent.append)
    call = remote.calls[0]
    head = f"Content-Type: {call.headers['Content-Type']}\r\n\r\n".encode()
    parts = {
        p.get_param("name", header="content-disposition"): p
        for p in message_from_bytes(head + call.body).walk()
    }
    assert submission.run.id == "r1"
    assert parts["archive"].get_payload(decode=True) == data
    assert parts["archive"].get_filename() == "archive.zip"
    assert parts["note"].get_payload(decode=True) == "größer\n".encode()
    assert sent == sorted(sent)
    assert sent[-1] == len(call.body) == int(call.headers["Content-Length"])


def test_upload_is_read_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"x" * 100_000)
    with path.open("rb") as file:
        form = FileForm({"a": "b"}, file, 100_000)
        pieces = list(iter(lambda: form.read(1000), b""))
    assert max(map(len, pieces)) == 1000
    assert sum(map(len, pieces)) == len(form)
