"""How words, moments and numbers from the server are written on a terminal."""

import unicodedata
from datetime import datetime

from pastiche.responses import Run


def plain(text: str) -> str:
    """Replace what could steer a terminal: control and invisible characters other than line end and tab."""
    return "".join(
        letter
        if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
        else "\N{REPLACEMENT CHARACTER}"
        for letter in text.replace("\r\n", "\n")
    )


def moment(when: datetime | None) -> str:
    """Write a moment in the time zone of this machine."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M %Z") if when else "-"


def number(value: float | None) -> str:
    """Write a number with four significant digits."""
    return "-" if value is None else f"{value:#.4g}".rstrip(".")


def interval(low: float | None, high: float | None) -> str:
    """Write the ends of an interval."""
    return "" if low is None or high is None else f"{number(low)} to {number(high)}"


def stage(run: Run) -> str:
    """Write in one line where a run stands."""
    words = [plain(run.state)]
    if run.queue_place:
        words.append(f"place {run.queue_place} in the queue")
    if run.pairs_total and run.state in ("generating", "scoring"):
        words.append(f"{run.pairs_done} of {run.pairs_total} pairs")
    if run.attempt > 1:
        words.append(f"attempt {run.attempt}")
    if run.waiting_reason:
        words.append(plain(f"{run.waiting_reason} {run.waiting_advice}".strip()))
    return " · ".join(words)
