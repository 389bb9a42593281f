"""Find where this process may make control groups, of version 1 or 2, and make one group for each sandbox."""

import contextlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from evaluation.generation.driver import Limits
from workers.sandbox.group import Group

PREFIX = "pastiche"
LEAF = "pastiche-worker"
CONTROLLERS = ("memory", "pids", "cpu", "freezer")


@dataclass(frozen=True)
class Place:
    """A folder of a cgroup file system below which groups can be made."""

    parent: Path
    version: int


@dataclass(frozen=True)
class Cgroups:
    """For each controller the place where it can be used; a missing one cannot be used."""

    places: dict[str, Place] = field(default_factory=dict)

    @property
    def is_sufficient(self) -> bool:
        """Say whether memory and the number of processes can be limited."""
        return "memory" in self.places and "pids" in self.places

    def describe(self) -> dict[str, str]:
        """Name the version that holds each controller that can be used."""
        return {name: f"cgroup v{place.version}" for name, place in self.places.items()}

    def create(self, limits: Limits) -> Group:
        """Make a group with the limits; its name says which process owns it.

        Raises:
            OSError: the kernel refuses the group or a limit; nothing is left then.
        """
        name = f"{PREFIX}-{os.getpid()}-{secrets.token_hex(6)}"
        folders = {
            controller: (place.parent / name, place.version) for controller, place in self.places.items()
        }
        group = Group(folders)
        try:
            group.make(limits)
        except OSError:
            group.remove()
            raise
        return group

    def sweep(self) -> None:
        """Remove the groups of workers that are gone, and what may still be frozen in them."""
        for name in {path.name for place in self.places.values() for path in _groups_below(place.parent)}:
            if not psutil.pid_exists(int(name.split("-")[1])):
                found = {c: (p.parent / name, p.version) for c, p in self.places.items()}
                Group(found).remove()


def find_cgroups(
    own: str | None = None, mounts: str | None = None, can_use: Callable[[Path, int, str], bool] | None = None
) -> Cgroups:
    """Look up, in /proc, which controllers this process may use below its own group.

    A version 2 place is preferred. A controller counts only where a group can be made and, with version
    2, where the controller is on for the groups below.
    """
    own = Path("/proc/self/cgroup").read_text() if own is None else own
    mounts = Path("/proc/self/mountinfo").read_text() if mounts is None else mounts
    can_use = _can_use if can_use is None else can_use
    places: dict[str, Place] = {}
    for folder, version, controllers in _own_folders(own, mounts):
        for controller in CONTROLLERS:
            is_offered = version == 2 or controller in controllers
            if is_offered and controller not in places and can_use(folder, version, controller):
                places[controller] = Place(folder, version)
    return Cgroups(places)


def _own_folders(own: str, mounts: str) -> list[tuple[Path, int, frozenset[str]]]:
    """List this process's folders, version 2 first, each with the version 1 controllers that it holds."""
    found = []
    for line in own.splitlines():
        _, names, path = line.split(":", 2)
        wanted = frozenset(names.split(",")) if names else frozenset[str]()
        for mount_point, root, kind, options in _cgroup_mounts(mounts):
            is_match = kind == "cgroup2" if not wanted else kind == "cgroup" and wanted <= options
            if is_match:
                folder = mount_point / os.path.relpath(path, root)
                if path != root and not path.startswith(root.rstrip("/") + "/"):
                    folder = mount_point  # seen from a container, whose own group is the root of the mount
                version = 1 if wanted else 2
                found.append((_above_leaf(Path(os.path.normpath(folder))), version, wanted))
                break
    return sorted(found, key=lambda row: -row[1])


def _cgroup_mounts(mounts: str) -> list[tuple[Path, str, str, frozenset[str]]]:
    """Parse mountinfo into (mount point, root, type, super options) of the cgroup mounts."""
    rows = []
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            fields = left.split(" ")
            rows.append((Path(fields[4]), fields[3], kind, frozenset(options.split(","))))
    return rows


def _above_leaf(folder: Path) -> Path:
    return folder.parent if folder.name == LEAF else folder


def _can_use(folder: Path, version: int, controller: str) -> bool:
    if not os.access(folder, os.W_OK):
        return False
    if version == 1 or controller == "freezer":  # freezing is part of version 2 itself
        return os.access(folder / "cgroup.procs", os.W_OK)
    try:
        if controller not in (folder / "cgroup.controllers").read_text().split():
            return False
        return _switch_on(folder, controller)
    except OSError:
        return False


def _switch_on(folder: Path, controller: str) -> bool:
    """Turn a version 2 controller on for the groups below; first move the processes of a delegated group away."""
    switch = folder / "cgroup.subtree_control"
    if controller in switch.read_text().split():
        return True
    if _is_delegated(folder):  # no group may both hold processes and hand controllers on
        leaf = folder / LEAF
        leaf.mkdir(exist_ok=True)
        for pid in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (leaf / "cgroup.procs").write_text(pid)
    switch.write_text(f"+{controller}")
    return True


def _is_delegated(folder: Path) -> bool:
    """Say whether systemd handed the group over to this unit (`Delegate=yes`)."""
    for name in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(folder, name) == b"1":
                return True
    return False


def _groups_below(parent: Path) -> list[Path]:
    return [path for path in parent.glob(f"{PREFIX}-[0-9]*-*") if path.name.split("-")[1].isdigit()]
