"""The child that unpacks one archive: it gives up every right before it looks at the first byte.

Its arguments: the project's folder, then a JSON table with `folder`, `archive` (a descriptor), `uid` (or null),
`limits` (of the archive) and `resources` (of this process). It prints one JSON object.
"""

import json
import os
import resource
import sys
from pathlib import Path


def give_up_rights(uid: int | None, resources: dict[str, int]) -> None:
    """Become the user, if one is named, and lower the limits of this process for good."""
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    for name, value in resources.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def main() -> None:
    """Enter the folder, give up all rights, unpack, and print the manifest or the error."""
    sys.path.insert(0, sys.argv[1])
    from evaluation.archive import ArchiveLimits, unpack_archive  # before the rights to read it are gone
    from evaluation.errors import InvalidArchive

    asked = json.loads(sys.argv[2])
    os.chdir(asked["folder"])
    give_up_rights(asked["uid"], asked["resources"])
    archive = Path(f"/dev/fd/{asked['archive']}")
    try:
        info = unpack_archive(archive, Path("."), ArchiveLimits(**asked["limits"]))
    except InvalidArchive as error:
        told = {"code": error.code, "reason": error.reason, "message": error.message, "fix": error.fix}
        print(json.dumps({"error": told}))
    else:
        print(json.dumps({"manifest": info.manifest.to_json()}))


if __name__ == "__main__":
    main()
