"""The default broker: kombu's messages as files, but each appears whole or not at all."""

import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

SCHEME = "folder"
URL = f"{SCHEME}://localhost"


class FolderChannel(filesystem.Channel):
    """Kombu writes a message under its final name, where a reader may find half of it and give up for good.

    Can go when kombu's filesystem transport renames finished files (seen in kombu 5.7).
    """

    def _put(  # type: ignore[override]  # the base classes disagree with each other
        self, queue: str, payload: dict[str, Any], **kwargs: Any
    ) -> None:
        name = uuid.uuid4().hex
        unfinished = self.control_folder / f"{name}.part"  # the same file system, so that renaming is atomic
        unfinished.write_text(dumps(payload), encoding="utf-8")
        # Names sort by age; the clock of a restarted machine only lets new messages overtake old ones.
        os.replace(unfinished, Path(self.data_folder_out) / f"{time.monotonic_ns():020d}_{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        try:
            return super()._get(queue)
        except (
            ValueError
        ) as error:  # left by a full disk; a nudge that is lost is made good by the next sweep
            raise Empty from error

    def get_table(self, exchange: str) -> list[Any]:
        try:
            return list(super().get_table(exchange))
        except ValueError:  # another process writes it for the first time just now
            return []


class FolderTransport(filesystem.Transport):
    """The transport of `folder://` addresses."""

    Channel = FolderChannel


def register() -> None:
    """Make `folder://` known to kombu."""
    TRANSPORT_ALIASES[SCHEME] = f"{__name__}:{FolderTransport.__name__}"
