"""Judge the names of all entries together: each name alone, then collisions and files used as folders."""

from collections.abc import Iterable, Sequence

from evaluation.zips.directory import ZipEntry
from evaluation.zips.names import name_key, name_problem
from evaluation.zips.rules import ArchiveLimits, refusal, shown


def check_names(entries: Iterable[ZipEntry]) -> None:
    """Refuse names that are unsafe or that some file system takes for one another.

    Raises:
        InvalidArchive: a reason of `zips.names`, DUPLICATE_NAME, COLLIDING_NAMES or FILE_AS_FOLDER.
    """
    named: set[str] = set()
    seen: dict[str, tuple[str, bool]] = {}
    for entry in entries:
        problem = name_problem(entry.name)
        if problem:
            raise refusal(problem[0], f"The name {shown(entry.name)} {problem[1]}.")
        if entry.name in named:
            raise refusal("DUPLICATE_NAME", f"{shown(entry.name)} is there twice.")
        named.add(entry.name)
        parts = entry.name.split("/")
        for depth in range(1, len(parts) + 1):
            _claim(seen, "/".join(parts[:depth]), depth < len(parts) or entry.is_folder)


def check_sizes(entries: Sequence[ZipEntry], limits: ArchiveLimits) -> None:
    """Refuse entries that would unpack to too much, by what their headers promise.

    Raises:
        InvalidArchive: TOO_LARGE or COMPRESSION_RATIO.
    """
    total = sum(entry.size for entry in entries)
    if total > limits.unpacked:
        largest = max(entries, key=lambda entry: entry.size)
        raise refusal(
            "TOO_LARGE",
            f"The archive unpacks to {total:,} bytes, the largest file being {shown(largest.name)}; "
            f"at most {limits.unpacked:,} are allowed.",
        )
    for entry in entries:
        if entry.size > limits.ratio_from and entry.size > limits.ratio * entry.packed:
            raise refusal(
                "COMPRESSION_RATIO",
                f"{shown(entry.name)} unpacks to more than {limits.ratio} times its packed size.",
            )


def _claim(seen: dict[str, tuple[str, bool]], name: str, is_folder: bool) -> None:
    other, was_folder = seen.setdefault(name_key(name), (name, is_folder))
    if other != name:
        raise refusal(
            "COLLIDING_NAMES", f"{shown(other)} and {shown(name)} are one name to some file systems."
        )
    if was_folder != is_folder:
        raise refusal("FILE_AS_FOLDER", f"{shown(name)} is both a file and a folder.")
