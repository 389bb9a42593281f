"""The REST client: addresses, repeats, errors, uploads; against a real HTTP server."""

import base64
import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from urllib3.util import Retry

import pastiche
from evaluation.archive import inspect_archive
from pastiche.client import Client
from pastiche.config import Config, save_config
from pastiche.errors import CheckFailed, LoginNeeded, NetworkError, PasticheError, Refused
from pastiche.transport import RETRY
from tests.conftest import python_archive
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
    remote.on("GET", "/competitions/", {"results": rows[:2], "next_cursor": "abc"}, {"results": rows[2:]})
    with Client(remote.url) as client:
        assert [row.slug for row in client.competitions()] == ["c0", "c1", "c2"]
    assert [call.query for call in remote.calls] == ["", "cursor=abc"]


def test_page_that_points_at_itself_ends_the_list(remote: Remote) -> None:
    remote.on("GET", "/submissions/", {"results": [SUBMISSION], "next_cursor": "same"})
    with Client(remote.url) as client:
        assert len(client.submissions()) == 2
    assert remote.count("/submissions/") == 2


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


@pytest.fixture
def archive(tmp_path: Path, remote: Remote) -> Path:
    """A good archive, and a server that takes it in one part."""
    path = python_archive(tmp_path / "small.zip")
    remote.take_uploads(path.stat().st_size, inspect_archive(path).sha256)
    remote.on("POST", "/submissions/", SUBMISSION, status=201)
    return path


def test_upload_arrives_byte_for_byte_with_its_digest(remote: Remote, archive: Path) -> None:
    told: list[tuple[int, int]] = []
    with Client(remote.url, TOKEN) as client:
        made = client.submit(archive, "demo", note="größer\n", progress=lambda *sent: told.append(sent))
    part = remote.sent("/uploads/up-1/parts/0/")
    digest = base64.b64encode(hashlib.sha256(archive.read_bytes()).digest()).decode()
    size = archive.stat().st_size
    assert made.run.id == "r1"
    assert part.body == archive.read_bytes()
    assert part.headers["Content-Digest"] == f"sha-256=:{digest}:"
    assert json.loads(remote.sent("/submissions/").body)["note"] == "größer\n"
    assert told == sorted(told)
    assert told[-1] == (size, size)


def test_creation_is_repeated_with_one_key(remote: Remote, archive: Path) -> None:
    busy = (409, problem("IDEMPOTENCY_KEY_BUSY", "Still at it."))
    remote.on("POST", "/submissions/", (0, b""), (503, b""), busy, (201, SUBMISSION))
    with Client(remote.url, TOKEN, retry=QUICK) as client:
        assert client.submit(archive, "demo").id == "s1"
    keys = {call.headers["Idempotency-Key"] for call in remote.calls if call.path == "/api/v1/submissions/"}
    assert remote.count("/submissions/") == 4
    assert len(keys) == 1
    assert remote.sent("/uploads/").headers["Idempotency-Key"] not in keys


def test_damaged_part_is_sent_again_and_a_conflict_is_not(remote: Remote, archive: Path) -> None:
    there = remote.answers["PUT", "/api/v1/uploads/up-1/parts/0/"][0]
    remote.answers["GET", "/api/v1/uploads/up-1/"] = list(remote.answers["POST", "/api/v1/uploads/"])
    remote.on("PUT", "/uploads/up-1/parts/0/", (422, problem("PART_REFUSED", "Damaged.")), there)
    with Client(remote.url, TOKEN, retry=QUICK, pause=0.001) as client:
        assert client.submit(archive, "demo").id == "s1"
        assert remote.count("/uploads/up-1/parts/0/") == 2
        remote.on("PUT", "/uploads/up-1/parts/0/", (409, problem("PART_CONFLICT", "Another file.")))
        with pytest.raises(Refused) as refused:
            client.submit(archive, "demo")
    assert refused.value.code == "PART_CONFLICT"
    assert remote.count("/uploads/up-1/parts/0/") == 3


def test_client_without_an_address_takes_that_of_the_environment(
    remote: Remote, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_config(Config("http://127.0.0.1:9", "of-the-file"), home)
    monkeypatch.setenv("PASTICHE_URL", remote.url)
    monkeypatch.setenv("PASTICHE_TOKEN", TOKEN)
    remote.on("GET", "/me/", {"username": "ada"})
    with pastiche.Client() as client:
        assert client.me().username == "ada"
    assert remote.calls[0].headers["Authorization"] == f"Token {TOKEN}"
    assert issubclass(Refused, pastiche.PasticheError)
