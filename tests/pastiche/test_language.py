"""The command line in Chinese: every text has a translation with the same places for values, and it is shown."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from inspect import cleandoc
from pathlib import Path

import click
import pytest
from click.testing import Result

import pastiche.cli
from pastiche import errors
from pastiche.language import CATALOGUE, language, say
from pastiche.responses import ENDED_STATES
from tests.pastiche.answers import ROW
from tests.pastiche.conftest import Remote

Run_ = Callable[..., Result]
SOURCES = sorted(Path(pastiche.cli.__file__).parent.rglob("*.py"))
TRANSLATED = ("say", "_table")  # all texts that are handed to these
LIVE_STATES = ("queued", "claimed", "loading", "generating", "scoring", "publishing")


def literals(path: Path) -> Iterator[str]:
    """Yield the texts that a file has translated."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TRANSLATED:
            yield from (
                a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
            )


def every_command(group: click.Group) -> Iterator[click.Command]:
    """Yield the commands of a group, and those of the groups in it."""
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from every_command(command)


def helps() -> Iterator[str]:
    """Yield the help of the program, of its commands and of their options."""
    yield cleandoc(pastiche.cli.cli.help or "")
    for command in every_command(pastiche.cli.cli):
        yield cleandoc(command.help or "")
        yield from (p.help for p in command.params if isinstance(p, click.Option) and p.help)


def every_text() -> set[str]:
    """Collect all texts of the program."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    sentences = {" ".join((k.__doc__ or "").split()) for k in kinds if issubclass(k, errors.PasticheError)}
    names = {"settings", "server", "clock", "login", "uploads", "evaluation"}
    rules = {
        "window",
        "runs a day",
        "runs in all",
        "what counts",
        "pairs with a valid output",
        "public pairs",
    }
    found = {text for path in SOURCES for text in literals(path)}
    return (
        found
        | set(helps())
        | sentences
        | names
        | rules
        | {"hidden pairs", "suite"}
        | {*ENDED_STATES, *LIVE_STATES}
    )


def test_every_text_is_translated_and_no_other() -> None:
    catalogue = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    assert sorted(catalogue) == sorted(every_text())
    assert all(catalogue.values())


def test_translations_keep_the_places_and_the_commands() -> None:
    for text, chinese in json.loads(CATALOGUE.read_text(encoding="utf-8")).items():
        for kind in (r"\{\w+\}", r"`[^`]+`", r"--[a-z]+", r"PASTICHE_[A-Z]+"):
            assert sorted(re.findall(kind, text)) == sorted(re.findall(kind, chinese)), text


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE", "PASTICHE_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "PASTICHE_LANG": "en"}, "en"),
    ],
)
def test_first_variable_that_is_set_decides(
    variables: dict[str, str], expected: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language() == expected


def test_values_stay_as_they_are(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASTICHE_LANG", "zh")
    assert "{braces}" in say("Others can read {path}.", path="{braces}")
    assert say("nobody translates this") == "nobody translates this"


def test_chinese_is_shown_and_asked_of_the_server(
    remote: Remote, logged_in: Run_, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASTICHE_LANG", "zh_CN")
    board = {"competition": "demo", "phase": "main", "suite": "s", "rows": [ROW]}
    remote.on("GET", "/competitions/demo/leaderboard/", board)
    assert "名次" in logged_in("board", "demo").stdout
    assert remote.calls[0].headers["Accept-Language"] == "zh-hans"
    assert "提交" in logged_in("submit", "--help").stdout
    assert "列出竞赛" in logged_in("--help").stdout
    assert logged_in("nonsense").exit_code == 2
