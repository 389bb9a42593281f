"""Which file names an archive may hold: the same rules for its entries and for the names in its manifest."""

import re
import unicodedata

MAX_NAME_BYTES = 255
MAX_PART_BYTES = 120
MAX_DEPTH = 8

_DRIVE = re.compile(r"^[A-Za-z]:")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_WINDOWS = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def name_problem(name: str) -> tuple[str, str] | None:
    """Return (reason, what is wrong) for a name that no archive may hold, or None.

    A name is a relative path with forward slashes; a folder's trailing slash is removed by the caller.
    """
    return _path_problem(name) or _text_problem(name) or _part_problem(name)


def name_key(name: str) -> str:
    """Return the form under which two names that some file system takes for one are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def _path_problem(name: str) -> tuple[str, str] | None:
    if not name:
        return "EMPTY_NAME", "is empty"
    if "\\" in name:
        return "BACKSLASH", "holds a backslash"
    if name.startswith("/") or _DRIVE.match(name):
        return "ABSOLUTE_PATH", "is an absolute path"
    if any(part in ("", ".", "..") for part in name.split("/")):
        return "PATH_TRAVERSAL", "holds an empty, '.' or '..' part"
    return None


def _text_problem(name: str) -> tuple[str, str] | None:
    if any(unicodedata.category(letter) in _UNSEEN for letter in name):
        return "CONTROL_CHARACTER", "holds a control, invisible or unassigned character"
    if len(name.encode()) > MAX_NAME_BYTES:
        return "NAME_TOO_LONG", f"is longer than {MAX_NAME_BYTES} bytes"
    return None


def _part_problem(name: str) -> tuple[str, str] | None:
    parts = name.split("/")
    if len(parts) > MAX_DEPTH:
        return "TOO_DEEP", f"lies deeper than {MAX_DEPTH} levels"
    for part in parts:
        if len(part.encode()) > MAX_PART_BYTES:
            return "NAME_TOO_LONG", f"has a part longer than {MAX_PART_BYTES} bytes"
        if ":" in part or part != part.strip() or part.endswith("."):
            return (
                "UNSAFE_NAME",
                "holds a colon, or a part that begins or ends with a space or ends with a dot",
            )
        if part.split(".")[0].lower() in _WINDOWS:
            return "UNSAFE_NAME", "uses a device name of Windows"
    return None
