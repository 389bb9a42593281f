"""The language of the terminal: English as it stands in the code, or Chinese from the catalogue beside it."""

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

CATALOGUE = Path(__file__).with_name("texts") / "zh_Hans.json"
VARIABLES = ("PASTICHE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides


def language() -> str:
    """Return "zh" or "en"."""
    wanted = next((os.environ[name] for name in VARIABLES if os.environ.get(name)), "en")
    return "zh" if wanted.lower().startswith("zh") else "en"


def say(text: str, /, **values: object) -> str:
    """Write a text of this program in the user's language, with the values in the places that it names."""
    chosen = _chinese().get(text, text) if language() == "zh" else text
    return chosen.format(**values) if values else chosen


@cache
def _chinese() -> Mapping[str, str]:
    catalogue: dict[str, str] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return catalogue
