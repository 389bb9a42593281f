"""The list of obstacles is closed: each that is met stands in it with all its gaps filled, and none is left over."""

import ast
import copy
import pickle
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.obstacles import OBSTACLES, Told, unavailable
from workers.sandbox.canary import NO_START

ROOM = Path(__file__).resolve().parents[2] / "workers"


def holes(text: str) -> set[str]:
    """List what a template leaves open."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def raised() -> Iterator[tuple[str, set[str]]]:
    """List every code that some module raises, with the names of the values that it gives."""
    for path in sorted(ROOM.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "unavailable"):
                continue
            named = ast.unparse(node.args[0])
            codes = NO_START.values() if named.startswith("NO_START") else [ast.literal_eval(named)]
            yield from ((code, {word.arg or "" for word in node.keywords}) for code in codes)


@pytest.mark.parametrize(("code", "given"), list(raised()))
def test_what_is_raised_stands_in_the_list_and_fills_its_gaps(code: str, given: set[str]) -> None:
    assert holes(OBSTACLES[code].sentence) == given
    assert OBSTACLES[code].advice
    assert not holes(OBSTACLES[code].advice)


def test_nothing_stands_in_the_list_that_is_never_met() -> None:
    assert {code for code, _ in raised()} | {"DISK_FULL"} == set(OBSTACLES)


def test_an_error_says_it_in_english_and_remembers_of_what_that_was_made() -> None:
    error = unavailable("NO_RUNTIME", runtime="{kata}")
    assert error.message == "The engine has no runtime {kata}."
    assert isinstance(error.message, Told)
    assert (error.message.template, error.message.values) == (
        OBSTACLES["NO_RUNTIME"].sentence,
        {"runtime": "{kata}"},
    )
    assert error.fix == OBSTACLES["NO_RUNTIME"].advice


def test_what_was_told_survives_a_copy() -> None:
    told = unavailable("NO_IMAGE", image="sha256:0").message
    for copied in (copy.deepcopy(told), pickle.loads(pickle.dumps(told))):
        assert copied == told
        assert isinstance(copied, Told)
        assert copied.values == {"image": "sha256:0"}
