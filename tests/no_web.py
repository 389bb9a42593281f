"""A pytest plugin that hides the web's packages: the library has to pass its tests where they are not installed."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

HIDDEN = {
    "django",
    "rest_framework",
    "celery",
    "redis",
    "kombu",
    "config",
    "accounts",
    "competitions",
    "workers",
}


class _Hidden(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {fullname!r} (hidden by tests.no_web)", name=fullname)
        return None


sys.meta_path.insert(0, _Hidden())
