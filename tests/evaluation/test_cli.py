"""The command line itself: every command explains itself, and suites can be made, signed and verified."""

import json
import stat
from pathlib import Path

import click
import pytest

from evaluation.cli import cli
from evaluation.spec import load_suite, suite_ids
from tests.evaluation.command_line import call, sign_small_suite, small_suite


def commands() -> list[tuple[str, ...]]:
    """List every command and every command of a group."""
    found: list[tuple[str, ...]] = []
    for name, command in cli.commands.items():
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, inner) for inner in command.commands]
    return found


@pytest.mark.parametrize("names", commands(), ids=" ".join)
def test_every_command_explains_itself(names: tuple[str, ...]) -> None:
    answer = call(*names, "--help")
    assert answer.code == 0
    assert "Usage: " in answer.out
    assert len(answer.out.splitlines()) >= 4


@pytest.mark.parametrize(
    "arguments", [("none",), ("score",), ("score", "--json"), ("suites", "none"), ("explain",)], ids=" ".join
)
def test_wrong_use_ends_with_status_2(arguments: tuple[str, ...]) -> None:
    answer = call(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "Usage: " in answer.err


def test_a_new_key_signs_a_suite_that_its_public_half_verifies(tmp_path: Path) -> None:
    draft = tmp_path / "draft.json"
    draft.write_text(small_suite().to_json())
    answer = call("suites", "new-key", tmp_path / "me")
    private, public = tmp_path / "me.private.pem", tmp_path / "me.pem"
    assert answer.code == 0
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert b"PRIVATE KEY" in private.read_bytes()
    assert b"PUBLIC KEY" in public.read_bytes()
    assert "PRIVATE" not in answer.out
    assert private.read_text().splitlines()[1] not in answer.out
    signed = call("suites", "sign", draft, "--key", private, "--out", tmp_path)
    assert signed.code == 0, signed.err
    assert small_suite().digest in signed.out
    verified = call("suites", "verify", tmp_path / "sts-test-1.json", "--trust", public)
    assert (verified.code, verified.out) == (0, f"sts-test-1: right, digest {small_suite().digest}\n")


def test_the_suite_of_an_unknown_key_is_not_verified(tmp_path: Path) -> None:
    suite, _ = sign_small_suite(tmp_path)
    answer = call("suites", "verify", suite)
    assert answer.code == 2
    assert "add --trust KEY.pem" in answer.err


def test_a_signed_suite_can_be_signed_again_under_another_version(tmp_path: Path) -> None:
    suite, _ = sign_small_suite(tmp_path)
    fields = json.loads(suite.read_text())
    fields["suite"]["version"] = 7
    suite.write_text(json.dumps(fields))
    call("suites", "new-key", tmp_path / "me")
    answer = call("suites", "sign", suite, "--key", tmp_path / "me.private.pem", "--out", tmp_path)
    assert answer.code == 0
    assert (tmp_path / "sts-test-7.json").exists()


def test_keys_and_suites_are_never_overwritten(tmp_path: Path) -> None:
    call("suites", "new-key", tmp_path / "me")
    before = (tmp_path / "me.private.pem").read_bytes()
    for lost in ("me.pem", None):
        answer = call("suites", "new-key", tmp_path / "me")
        assert answer.code == 2
        assert (tmp_path / "me.private.pem").read_bytes() == before
        if lost:
            (tmp_path / lost).unlink()
    suite, _ = sign_small_suite(tmp_path)
    answer = call("suites", "sign", suite, "--key", tmp_path / "me.private.pem", "--out", tmp_path)
    assert answer.code == 2
    assert "sts-test-1.json exists" in answer.err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x", "beauty": 1}'])
def test_what_is_no_suite_is_not_signed(text: str, tmp_path: Path) -> None:
    draft = tmp_path / "draft.json"
    draft.write_text(text)
    call("suites", "new-key", tmp_path / "me")
    answer = call("suites", "sign", draft, "--key", tmp_path / "me.private.pem", "--out", tmp_path)
    assert answer.code == 2
    assert answer.err.startswith("INVALID_SUITE: ")
    assert list(tmp_path.glob("*.json")) == [draft]


def test_signing_needs_a_private_key(tmp_path: Path) -> None:
    suite, public = sign_small_suite(tmp_path)
    for key in (public, tmp_path / "none.pem"):
        answer = call("suites", "sign", suite, "--key", key, "--out", tmp_path)
        assert answer.code == 2
        assert answer.err.startswith("INVALID_SUITE: ")


def test_all_suites_of_the_library_verify() -> None:
    answer = call("suites", "verify")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        f"{suite_id}: right, digest {load_suite(suite_id).digest}" for suite_id in suite_ids()
    ]


def test_verifying_a_file_never_means_a_shipped_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = call("suites", "verify", "sts-demo-1")
    assert answer.code == 2
    (tmp_path / "sts-demo-1").write_text("{}")
    assert "no signed suite" in call("suites", "verify", "sts-demo-1").err
