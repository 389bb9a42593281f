"""The bubblewrap command line: strict, read-only, and never a mount point below another."""

import dataclasses
import sys
from pathlib import Path

import pytest

from evaluation.generation.driver import Limits
from workers.sandbox.arguments import (
    BUNDLE,
    RUNNER,
    Bind,
    bubblewrap_arguments,
    interpreter_binds,
    resource_limits,
)

BINDS = [Bind(Path("/stage/0"), RUNNER), Bind(Path("/stage/1"), BUNDLE)]


def arguments(limits: Limits | None = None) -> list[str]:
    return bubblewrap_arguments(BINDS, {"HOME": "/tmp"}, limits or Limits(), {"--seccomp": 7})


def test_every_namespace_is_asked_for_and_nothing_is_optional() -> None:
    made = arguments()
    for name in ("user", "ipc", "pid", "net", "uts", "cgroup"):
        assert f"--unshare-{name}" in made
    assert not [option for option in made if option.endswith("-try") or option == "--unshare-all"]
    assert {"--disable-userns", "--die-with-parent", "--new-session", "--clearenv"} <= set(made)
    assert made[made.index("--cap-drop") + 1] == "ALL"
    assert made[made.index("--seccomp") + 1] == "7"


def test_only_tmp_and_shm_can_be_written_and_have_a_size() -> None:
    made = arguments(dataclasses.replace(Limits(), tmp_mb=5, shm_mb=3))
    assert "--bind" not in made
    assert "--dev-bind" not in made
    found = {}
    for place, option in enumerate(made):
        if option == "--tmpfs":
            assert (made[place - 4], made[place - 2]) == ("--size", "--perms")
            found[made[place + 1]] = int(made[place - 3])
    assert found == {"/dev/shm": 3 << 20, "/tmp": 5 << 20}
    assert [made[n + 1] for n, option in enumerate(made) if option == "--remount-ro"] == ["/dev", "/"]


def test_binds_come_after_every_other_mount_but_the_last_remounts() -> None:
    made = arguments()
    first = made.index(str(BINDS[0].source))
    assert max(made.index(name) for name in ("--proc", "--dev", "--tmpfs")) < first
    assert not {"--dir", "--tmpfs", "--symlink", "--file"} & set(made[first:])


@pytest.mark.parametrize("inside", ["/bundle", "/bundle/below", "/bundle/below/deep"])
def test_a_mount_point_below_the_bundle_is_refused(inside: str) -> None:
    with pytest.raises(ValueError, match="lies below /bundle"):
        bubblewrap_arguments([*BINDS, Bind(Path("/x"), Path(inside))], {}, Limits(), {})


def test_the_interpreter_and_its_environment_are_shown_where_they_are() -> None:
    shown = [Path("/usr"), *(bind.inside for bind in interpreter_binds())]
    for path in (sys.executable, sys.prefix, sys.base_prefix):
        assert any(Path(path).is_relative_to(folder) for folder in shown)


def test_the_address_space_is_not_limited() -> None:
    made = resource_limits(Limits(pids=10, file_mb=2), others=5)
    assert "--nproc=47" in made
    assert "--fsize=2097152" in made
    assert "--core=0" in made
    assert not [option for option in made if option.startswith("--as")]
