"""Which archives the project itself ships; they are trusted like the rest of its code."""

import json
from functools import cache
from pathlib import Path

SHIPPED_FILE = Path(__file__).parent / "shipped.json"


@cache
def shipped_digests() -> frozenset[str]:
    """Return the sha256 of every archive that the project ships; `python -m baselines digests` keeps the list."""
    return frozenset(json.loads(SHIPPED_FILE.read_text(encoding="utf-8")).values())
