"""The look from outside: an ordinary process shows every problem, and one that is gone proves nothing."""

import os
import subprocess

import pytest

from workers.sandbox.verify import NAMESPACES, find_problems, read_status


def test_an_ordinary_process_is_not_confined() -> None:
    problems = find_problems(os.getpid(), ["pastiche-group"])
    assert "no seccomp filter" in problems
    assert "new privileges are possible" in problems
    assert "it is not in pastiche-group" in problems
    assert {f"it shares our {name} namespace" for name in NAMESPACES} <= set(problems)
    if os.geteuid() == 0:
        assert "it runs as root" in problems
        assert any(problem.startswith("CapEff is ") for problem in problems)


def test_a_process_that_is_gone_proves_nothing() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    with pytest.raises(OSError, match="No such"):
        find_problems(process.pid, [])


def test_the_status_is_read_as_a_table() -> None:
    assert read_status(os.getpid())["Pid"] == str(os.getpid())
