"""Unpack a stranger's archive in a child without rights, environment or much of anything."""

import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import evaluation
from evaluation.archive import ArchiveLimits
from evaluation.errors import GenerationError, InvalidArchive, InvalidManifest
from evaluation.manifest import Manifest, parse_manifest
from workers.sandbox.surroundings import PATH

logger = logging.getLogger(__name__)

FAILED = "The archive could not be unpacked."
UNPACKER = Path(__file__).with_name("unpacker.py")
SECONDS = 300
MEMORY = 1 << 30
ANSWER_BYTES = 1 << 20


def unpack_as(uid: int | None, archive: Path, folder: Path, limits: ArchiveLimits) -> Manifest:
    """Check an archive and write it into a new folder, as another user; files get mode 0644, folders 0755.

    The child may read the archive and write into the folder; for this the archive's mode becomes 0644 and
    the folder the user's. What it wrote is looked at before it is trusted: files and folders only.

    Args:
        uid: the user, for which this process must be root; None unpacks as our own user.
        archive: the archive, in a folder that may be closed to the user.
        folder: where to; it must not exist.
        limits: what the archive may hold.

    Raises:
        InvalidArchive: the archive breaks a rule.
        GenerationError: INFRA: the child failed, or left something that no archive can hold.
    """
    folder.mkdir(mode=0o755)
    if uid is not None:
        archive.chmod(0o644)
        os.chown(folder, uid, uid)
    match _answer_of_child(uid, archive, folder, limits):
        case {"error": {"code": str(code), "reason": str(reason), "message": str(message), "fix": str(fix)}}:
            kind = InvalidManifest if code == InvalidManifest.code else InvalidArchive
            raise kind(message, fix=fix, reason=reason)
        case {"manifest": str(text)} if all(_is_harmless(path, uid) for path in _all_below(folder)):
            return parse_manifest(text.encode())
    raise GenerationError("INFRA", FAILED)


def _answer_of_child(uid: int | None, archive: Path, folder: Path, limits: ArchiveLimits) -> object:
    """Run the child and return what it printed, as JSON."""
    descriptor = os.open(archive, os.O_RDONLY | os.O_NOFOLLOW)
    asked = {
        "folder": str(folder.resolve()),
        "archive": descriptor,
        "uid": uid,
        "limits": asdict(limits),
        "resources": _resources(limits),
    }
    command = [] if uid is None else ["setpriv", "--no-new-privs", "--"]
    command += [sys.executable, "-I", "-B", str(UNPACKER), str(Path(evaluation.__file__).parents[1])]
    try:
        done = subprocess.run(
            [*command, json.dumps(asked)],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={"PATH": PATH},
            pass_fds=[descriptor],
            cwd="/",
            timeout=SECONDS,
            check=True,
        )
        return json.loads(done.stdout[:ANSWER_BYTES])
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        complaint = getattr(error, "stderr", None) or b""
        logger.error("%s %s %s", FAILED, error, complaint.decode(errors="replace"))
        raise GenerationError("INFRA", FAILED) from error
    finally:
        os.close(descriptor)


def _resources(limits: ArchiveLimits) -> dict[str, int]:
    return {
        "RLIMIT_FSIZE": limits.unpacked,
        "RLIMIT_CPU": SECONDS,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_AS": MEMORY,
        "RLIMIT_NPROC": 0,
        "RLIMIT_CORE": 0,
    }


def _all_below(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        yield from (Path(root) / name for name in (*folders, *files))


def _is_harmless(path: Path, uid: int | None) -> bool:
    """Say whether this is a plain file or folder: a link could lead a mount of ours astray."""
    found = path.lstat()
    is_plain = stat.S_ISDIR(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink == 1)
    return is_plain and not found.st_mode & 0o7022 and found.st_uid == (os.geteuid() if uid is None else uid)
