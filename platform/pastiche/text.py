"""How words, moments and numbers from the server are written on a terminal."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime

from pastiche.language import say
from pastiche.responses import Run


def plain(text: str) -> str:
    """Replace what could steer a terminal: control and invisible characters other than line end and tab."""
    return "".join(
        letter
        if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
        else "\N{REPLACEMENT CHARACTER}"
        for letter in text.replace("\r\n", "\n")
    )


def coded(message: str, code: str, fields: Mapping[str, str]) -> str:
    """Write a refusal with its code, and with the rule that was broken where it tells one."""
    return f"{message} [{', '.join(dict.fromkeys([code, fields.get('rule', code)]))}]"


def moment(when: datetime | None) -> str:
    """Write a moment in the time zone of this machine."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M %Z") if when else "-"


def number(value: float | None) -> str:
    """Write a number with four significant digits."""
    return "-" if value is None else f"{value:#.4g}".rstrip(".")


def interval(low: float | None, high: float | None) -> str:
    """Write the ends of an interval."""
    return "" if low is None or high is None else say("{low} to {high}", low=number(low), high=number(high))


def stage(run: Run) -> str:
    """Write in one line where a run stands."""
    words = [say(plain(run.state))]
    if run.queue_place:
        words.append(say("place {place} in the queue", place=run.queue_place))
    if run.estimated_start_at and run.queue_place:
        words.append(say("starts about {when}", when=moment(run.estimated_start_at)))
    if run.pairs_total and run.state in ("generating", "scoring"):
        words.append(say("{done} of {total} pairs", done=run.pairs_done, total=run.pairs_total))
    if run.attempt > 1:
        words.append(say("attempt {number}", number=run.attempt))
    if run.waiting_reason:
        words.append(plain(f"{run.waiting_reason} {run.waiting_advice}".strip()))
    return " · ".join(words)
