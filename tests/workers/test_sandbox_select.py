"""The choice of a sandbox fails closed: whatever is missing or leaks, there is no driver, and it says why."""

import json
import os
import shutil
import struct
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.generators import LIMITS
from tests.workers.sandboxes import SLOT, as_nobody, driver, sandbox
from workers.sandbox import bubblewrap, canary, intruder
from workers.sandbox.arguments import SPARE_PROCESSES
from workers.sandbox.bubblewrap import SURROUNDINGS, BubblewrapDriver
from workers.sandbox.cgroups import Cgroups, Place
from workers.sandbox.seccomp import build_filter
from workers.sandbox.select import DriverChoice, choose_driver
from workers.sandbox.surroundings import SandboxDriver

__all__ = ["driver", "sandbox"]
pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("sandbox")]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
ALLOW_ALL = struct.pack("HBBI", 0x06, 0, 0, 0x7FFF0000)  # BPF: return SECCOMP_RET_ALLOW


def choose(**changes: Any) -> DriverChoice:
    return choose_driver(partial(BubblewrapDriver, **changes))


def test_a_sandbox_that_holds_is_chosen() -> None:
    choice = choose(slot=SLOT)
    assert choice.driver is not None
    assert choice.driver.is_sandbox
    described = choice.driver.describe()
    assert described["driver"] == "bubblewrap"
    assert described["mode"] == ("slot" if os.geteuid() == 0 else "direct")
    assert len(described["filter"]) == 64
    assert described["memory"].startswith("cgroup")


def test_the_canary_tries_all_attacks_and_none_gets_through(driver: SandboxDriver) -> None:
    report = canary.try_out(driver)
    assert len(report.results) >= (20 if driver.surroundings.has_own_kernel else 50)
    assert report.holes == ()
    assert report.seconds < 10


def test_a_missing_bubblewrap_is_named() -> None:
    choice = choose(slot=SLOT, bubblewrap="bwrap-that-is-not-there")
    assert choice.driver is None
    assert "bwrap-that-is-not-there is not installed" in choice.reason
    assert "bubblewrap" in choice.advice


def test_another_program_is_no_bubblewrap() -> None:
    choice = choose(slot=SLOT, bubblewrap="true")
    assert choice.driver is None
    assert "no bubblewrap of version 0.8 or later" in choice.reason


def test_without_a_cgroup_there_is_no_sandbox() -> None:
    choice = choose(slot=SLOT, cgroups=Cgroups())
    assert choice.driver is None
    assert "No cgroup" in choice.reason


def test_the_watchdog_must_be_asked_for_and_is_named() -> None:
    choice = choose(slot=SLOT, cgroups=Cgroups(), allow_watchdog=True)
    assert choice.driver is not None
    assert choice.driver.describe()["memory"] == "watchdog"


def test_a_cgroup_that_cannot_be_written_is_no_cgroup() -> None:
    nowhere = {name: Place(Path("/proc"), 1) for name in ("memory", "pids")}
    choice = choose(slot=SLOT, cgroups=Cgroups(nowhere))
    assert choice.driver is None
    assert "cannot be set up" in choice.reason


def test_a_truncated_filter_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = build_filter()[:-3]
    monkeypatch.setattr(bubblewrap, "build_filter", lambda **_: cut)
    choice = choose(slot=SLOT)
    assert choice.driver is None
    assert "does not start" in choice.reason


def test_a_filter_that_allows_everything_is_found_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bubblewrap, "build_filter", lambda **_: ALLOW_ALL)
    choice = choose(slot=SLOT)
    assert choice.driver is None
    assert "does not hold" in choice.reason
    assert "TCP" not in choice.reason  # everybody reads the reason; only the operator reads the log
    assert "got through the sandbox: TCP" in caplog.text


def test_a_missing_bind_starts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(intruder, "__file__", str(tmp_path / "gone.py"))
    choice = choose(slot=SLOT)
    assert choice.driver is None
    assert "does not start" in choice.reason


def test_a_sandbox_that_shares_a_namespace_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    complete = bubblewrap.bubblewrap_arguments

    def sharing(*arguments: object) -> list[str]:
        return [option for option in complete(*arguments) if option != "--unshare-net"]  # type: ignore[arg-type]

    monkeypatch.setattr(bubblewrap, "bubblewrap_arguments", sharing)
    choice = choose(slot=SLOT)
    assert choice.driver is None
    assert "it shares our net namespace" in choice.reason


def test_an_intruder_that_does_not_answer_is_a_hole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    silent = tmp_path / "silent.py"
    silent.write_text("print('hello', flush=True); input(); print('{\"TCP\": {\"is_open\": false}}')")
    tmp_path.chmod(0o755)
    monkeypatch.setattr(intruder, "__file__", str(silent))
    choice = choose(slot=SLOT)
    assert choice.driver is None
    assert "does not hold" in choice.reason
    assert "unknown: no answer" in caplog.text


@needs_root
def test_the_intruder_gets_through_where_there_is_no_sandbox() -> None:
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("no Python that every user can reach")
    limits = {"tmp_mb": 1, "shm_mb": 1, "too_many": LIMITS.pids + SPARE_PROCESSES, "too_much_mb": 1}
    with canary.plant(SURROUNDINGS) as target:
        program = shutil.copy(intruder.__file__, Path(target["secret"]).parent)
        command = ["setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups", "--", python, "-B"]
        command += [str(program), json.dumps({"target": target, "limits": limits})]
        done = subprocess.run(
            command, input="go\n", capture_output=True, text=True, check=True, cwd="/", timeout=60
        )
    answers = json.loads(done.stdout.splitlines()[1])
    found = {name for name, answer in answers.items() if answer["is_open"]}
    assert {
        "keep privileges",
        "filtered calls",
        "see processes",
        "read /etc/passwd",
        "TCP",
        "UDP",
        "ptrace",
        "keyctl",
    } <= found
    assert {f"read {target['secret']}", "abstract socket of the host", "socket file of the host"} <= found
    assert {"TCP server of the host", "way to other machines", "too many threads"} <= found
    assert {"too many processes", "new user namespace", "type into a terminal"} <= found


CHOOSE = """
import sys
from functools import partial
from workers.sandbox.bubblewrap import BubblewrapDriver as Sandbox
from workers.sandbox.select import choose_driver as choose
choice = choose(partial(Sandbox, allow_watchdog=True))
print(choice.driver and choice.driver.describe()["mode"], choice.reason)
"""


@needs_root
def test_a_user_without_rights_gets_a_sandbox_of_the_direct_kind(tmp_path: Path) -> None:
    assert as_nobody(tmp_path, CHOOSE) == "direct \n"


@needs_root
def test_without_user_namespaces_there_is_no_sandbox(tmp_path: Path) -> None:
    before = "exec unshare --user --map-current-user --keep-caps sh -c '\\''"
    before += "echo 0 > /proc/sys/user/max_user_namespaces; "
    before += "exec setpriv --ambient-caps=-all --inh-caps=-all -- \"$@\"'\\'' sh"
    printed = as_nobody(tmp_path, CHOOSE, before=before)
    assert printed.startswith("None The sandbox does not start: bwrap: Creating new namespace failed")


@needs_root
def test_a_user_without_rights_has_no_cgroup_here_and_gets_no_sandbox(tmp_path: Path) -> None:
    printed = as_nobody(tmp_path, CHOOSE.replace(", allow_watchdog=True", ""))
    assert printed == "None No cgroup can limit memory and processes here.\n"
