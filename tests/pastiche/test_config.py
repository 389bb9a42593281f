"""Where server and token come from, and that nobody else can read them."""

import json
import os
import stat
from pathlib import Path

import pytest

from pastiche.config import Config, check_server, check_token, config_path, load_config, save_config
from pastiche.errors import ConfigError, LoginNeeded

SERVER = "https://pastiche.example.org"


def test_saved_settings_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "config.json"
    save_config(Config(SERVER, "t0ken"), path)
    assert load_config({}, path) == Config(SERVER, "t0ken")


def test_file_and_folder_are_private_whatever_the_umask_says(tmp_path: Path) -> None:
    path = tmp_path / "pastiche" / "config.json"
    old = os.umask(0)
    try:
        save_config(Config(SERVER, "first"), path)
        save_config(Config(SERVER, "second"), path)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["config.json"]


def test_file_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    save_config(Config(SERVER, "t0ken"), path)
    path.chmod(0o644)
    with pytest.raises(LoginNeeded, match="Others can read") as refused:
        load_config({}, path)
    assert "chmod 600" in refused.value.fix


def test_environment_wins(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    save_config(Config(SERVER, "of-file"), path)
    assert load_config({"PASTICHE_TOKEN": "of-env"}, path) == Config(SERVER, "of-env")
    environment = {"PASTICHE_URL": "http://localhost:8000/", "PASTICHE_TOKEN": "of-env"}
    assert load_config(environment, path) == Config("http://localhost:8000", "of-env")


def test_token_of_the_file_never_goes_to_another_server(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    save_config(Config(SERVER, "of-file"), path)
    assert load_config({"PASTICHE_URL": "https://evil.example"}, path).token == ""
    assert load_config({"PASTICHE_URL": SERVER + "/"}, path).token == "of-file"


def test_without_settings_a_login_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(LoginNeeded, match="No server is known"):
        load_config({}, tmp_path / "nothing.json")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"server": "x"}', "\0"])
def test_broken_file_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.touch(mode=0o600)
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"config\.json cannot be read"):
        load_config({}, path)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "example.org",
        "ftp://example.org",
        "http://",
        "https://me:secret@host",
        "http://h:99999",
        "http://h?a=1",
    ],
)
def test_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check_server(address)
    assert "secret" not in str(refused.value)


def test_slash_at_the_end_of_the_address_does_not_matter() -> None:
    assert check_server(" https://host:8443/sub/ ") == "https://host:8443/sub"


@pytest.mark.parametrize("token", ["", "a b", "line\nfeed", "größe", "x" * 501])
def test_token_with_odd_characters_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(LoginNeeded) as refused:
        check_token(token)
    assert not token or token not in str(refused.value)


def test_token_is_not_in_the_representation() -> None:
    assert "t0ken" not in repr(Config(SERVER, "t0ken"))


def test_file_lies_in_the_folder_that_xdg_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    save_config(Config(SERVER, "t0ken"), config_path())
    assert json.loads((tmp_path / "pastiche" / "config.json").read_text())["server"] == SERVER
