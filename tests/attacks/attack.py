"""One attack as data: a hostile archive, what it tries, what stops it, and how it must end."""

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.attacks import planted
from tests.attacks.builders import manifest
from tests.attacks.zip_writer import file, write_zip

RUNS = ""

# In front of every program: how it looks for what it should not find, and says what came of it.
_TOOLS = """
import ctypes, errno, os, signal, socket, struct, sys, threading, time
LIBC = ctypes.CDLL(None, use_errno=True)
def attempt(name, action):
    try:
        found = action()
    except Exception as error:
        print(name, "stopped:", errno.errorcode.get(getattr(error, "errno", None), type(error).__name__))
    else:
        print(name, "REACHED" if found else "found nothing", repr(found)[:80])
def call(name, number, *arguments):
    '''Only "not implemented" says that the kernel has not seen it.'''
    def make():
        values = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
        answer = LIBC.syscall(ctypes.c_long(number), *values)
        if answer == -1 and ctypes.get_errno() == errno.ENOSYS:
            raise OSError(errno.ENOSYS, name)
        return f"it answers {answer}, error {ctypes.get_errno()}"
    attempt(name, make)
def read(path):
    attempt(path, lambda: os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(99))
def write(path):
    attempt(path, lambda: os.open(path, os.O_WRONLY | os.O_CREAT) >= 0)
"""


@dataclass(frozen=True)
class Attack:
    """One hostile archive; `build` makes its bytes.

    Attributes:
        code: the failure code, or "" where it runs to its end and has reached nothing.
        reason: for an archive that is refused, the rule.
        says: what message or log must tell, so that the attack is known to have been tried.
        limits: where they differ from `tests.attacks.generators.LIMITS`.
        needs: a package without which the attack means nothing.
        pause: seconds between its pairs.
        own_kernel: gVisor's kernel may answer what the host's must not, and the end is another.
    """

    name: str
    tries: str
    stopped_by: str
    code: str
    build: Callable[[], bytes]
    reason: str = ""
    says: str = ""
    limits: Mapping[str, float] = field(default_factory=dict)
    pairs: int = 2
    side: int = 16
    needs: str = ""
    pause: float = 0.0
    own_kernel: bool = False

    @property
    def ending(self) -> str:
        """Return how it ends, in words for a table."""
        if self.code == RUNS:
            return "runs, reaches nothing"
        return f"{self.code} ({self.reason})" if self.reason else self.code


def program(load: str = "pass", pair: str = "return content", top: str = "") -> str:
    """Write a model.py around two function bodies."""
    known = "".join(f"{name} = {value!r}\n" for name, value in planted.names().items())
    return "\n".join(
        (
            known + _TOOLS + textwrap.dedent(top),
            "import numpy as np",
            "class Model:",
            "    def __init__(self, bundle_dir, device):",
            "        self.folder, self.n = bundle_dir, 0",
            textwrap.indent(textwrap.dedent(load).strip(), " " * 8),
            "    def stylize(self, content, style):",
            "        self.n += 1",
            textwrap.indent(textwrap.dedent(pair).strip(), " " * 8),
            "",
        )
    )


def archive(source: str, files: Mapping[str, bytes] | None = None, **changes: object) -> bytes:
    """Pack a generator."""
    entries = [file("manifest.json", manifest(**changes)), file("model.py", source.encode())]
    return write_zip(entries + [file(name, data) for name, data in (files or {}).items()])


def hostile(name: str, tries: str, stopped_by: str, code: str = RUNS, **fields: object) -> Attack:
    """Describe a hostile program; `load`, `pair` and `top` are its source, the rest are fields of `Attack`."""
    source = {key: str(fields.pop(key)) for key in ("load", "pair", "top") if key in fields}
    if code == RUNS:
        fields = {"says": "stopped:"} | fields
    return Attack(name, tries, stopped_by, code, lambda: archive(program(**source)), **fields)  # type: ignore[arg-type]
