"""Decisions about setting up a competition that need no database: its steps, their order, what may change when."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from competitions.errors import IllegalTransition, InvalidInput

MAX_DRAFTS = 5  # that a user may have under way
MAX_PHASES = 5
MAX_ORGANIZERS = 10
TRIED_WITH = ("identity", "reinhard")  # baselines that every set-up is tried with
REASON_LETTERS = 10


class Step(StrEnum):
    """The steps of setting up, in order."""

    BASICS = "basics"
    TASK = "task"
    DATA = "data"
    DATES = "dates"
    LIMITS = "limits"
    PEOPLE = "people"
    PUBLISH = "publish"


class Freedom(StrEnum):
    """What may be done with a step once the competition is published."""

    FREE = "free"
    TOLD = "told"  # it may change, and participants see that it did
    LOCKED = "locked"


AFTER_PUBLISHING = {
    Step.BASICS: Freedom.TOLD,
    Step.TASK: Freedom.LOCKED,
    Step.DATA: Freedom.LOCKED,
    Step.DATES: Freedom.TOLD,
    Step.LIMITS: Freedom.TOLD,
    Step.PEOPLE: Freedom.FREE,
    Step.PUBLISH: Freedom.LOCKED,
}


@dataclass(frozen=True)
class Window:
    """When a phase takes submissions; its address and how many finals it has, where those are decided here."""

    title: str
    opens_at: datetime
    closes_at: datetime
    slug: str = ""
    finals_per_team: int | None = None

    def to_json(self) -> dict[str, str | int | None]:
        """Return the window as plain values."""
        return {
            "title": self.title,
            "opens_at": self.opens_at.isoformat(),
            "closes_at": self.closes_at.isoformat(),
            "slug": self.slug,
            "finals_per_team": self.finals_per_team,
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Window":
        """Read back what `to_json` gave, or gave before windows had addresses."""
        return cls(
            row["title"],
            datetime.fromisoformat(row["opens_at"]),
            datetime.fromisoformat(row["closes_at"]),
            row.get("slug", ""),
            row.get("finals_per_team"),
        )


@dataclass(frozen=True)
class PhaseLimits:
    """What a generator may use in every phase, and how submissions count."""

    runs_per_day: int = 5
    runs_total: int = 100
    pair_seconds: int = 10
    load_seconds: int = 120
    run_seconds: int = 3600
    memory_mb: int = 4096
    device: str = "cpu"
    required_coverage: float = 0.99
    counting: str = "best"

    def to_json(self) -> dict[str, int | float | str]:
        """Return the limits as plain values."""
        return asdict(self)


def check_may_change(step: Step, *, is_published: bool) -> None:
    """Refuse to change what participants rely on.

    Raises:
        IllegalTransition: the competition is published, and the step is locked since.
    """
    if is_published and AFTER_PUBLISHING[step] is Freedom.LOCKED:
        raise IllegalTransition(
            "The competition is published, so its task and its data stay as they are.",
            fix="Make a new competition for other data or another metric suite.",
        )


def check_windows(windows: Sequence[Window]) -> None:
    """Refuse phases that end before they begin, or of which two are open at once.

    Raises:
        InvalidInput: `fields` names the phase, counted from 0.
    """
    if not windows:
        raise InvalidInput("A competition needs a phase.", fix="Say when the first phase opens and closes.")
    if len(windows) > MAX_PHASES:
        raise InvalidInput("These are too many phases.", fix=f"Keep to {MAX_PHASES}.")
    for number, window in enumerate(windows):
        if window.opens_at >= window.closes_at:
            raise InvalidInput(
                "A phase closes before it opens.",
                fix="Choose a later end.",
                fields={str(number): "closes_at"},
            )
    order = sorted(range(len(windows)), key=lambda number: windows[number].opens_at)
    for before, after in zip(order, order[1:], strict=False):
        if windows[after].opens_at < windows[before].closes_at:
            raise InvalidInput(
                "Two phases overlap.",
                fix="Let one phase close before the next one opens; the same minute is fine.",
                fields={str(after): "opens_at"},
            )


def check_limits(limits: PhaseLimits) -> None:
    """Refuse limits that contradict each other.

    Raises:
        InvalidInput: `fields` names the limit.
    """
    if limits.runs_per_day > limits.runs_total:
        raise InvalidInput(
            "More runs a day than in the whole phase make no sense.",
            fix="Raise the total, or lower the runs a day.",
            fields={"runs_total": "runs_per_day"},
        )
    if limits.load_seconds + limits.pair_seconds > limits.run_seconds:
        raise InvalidInput(
            "The time for a run is over before its first pair is done.",
            fix="Give a run more time, or loading and pairs less.",
            fields={"run_seconds": "load_seconds"},
        )


def setup_digest(*, suite: str, dataset: str, limits: PhaseLimits) -> str:
    """Return a digest of what a dry run tries: another one means that it has to be tried again."""
    tried = {
        key: value
        for key, value in limits.to_json().items()
        if key in ("pair_seconds", "load_seconds", "run_seconds", "memory_mb", "device")
    }
    return hashlib.sha256(json.dumps([suite, dataset, tried], sort_keys=True).encode()).hexdigest()


def check_complete(missing: Mapping[Step, str]) -> None:
    """Refuse to go on while steps lack something.

    Raises:
        IllegalTransition: `fields` has what each step lacks.
    """
    if missing:
        raise IllegalTransition(
            "Some steps are not complete.",
            fix="The list of steps shows which ones.",
            fields={str(step): text for step, text in missing.items()},
        )


def check_may_publish(*, missing: Mapping[Step, str], is_tried: bool, reason: str) -> None:
    """Refuse to publish what is not complete, or was never tried without a reason for that.

    Raises:
        IllegalTransition: a step is missing.
        InvalidInput: neither a dry run that was scored nor a reason.
    """
    check_complete(missing)
    if not is_tried and len(reason.strip()) < REASON_LETTERS:
        raise InvalidInput(
            "This set-up has not been tried, and no reason is given.",
            fix="Start a dry run and wait for its scores, or say why it is not needed.",
            fields={"reason": "missing"},
        )
