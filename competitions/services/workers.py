"""Note that a worker is alive, and what it can run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db.models.functions import Now

from competitions.models import Worker
from evaluation.manifest import RUNTIMES
from evaluation.obstacles import Told

LONGEST = 500  # of a text, and of each value in it


@dataclass(frozen=True)
class Ability:
    """What a worker can run; `reason` and `advice` say why not strangers' generators, if so.

    `obstacle` says why it takes no work at all for the moment.
    """

    driver: str
    can_run_untrusted: bool
    devices: tuple[str, ...] = ("cpu",)
    memory_mb: int = 2**31 - 1
    runtimes: tuple[str, ...] = RUNTIMES
    obstacle: str = ""
    details: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    advice: str = ""


def register_worker(*, name: str, ability: Ability) -> Worker:
    """Write down a worker that starts."""
    texts = {"obstacle": ability.obstacle, "reason": ability.reason, "advice": ability.advice}
    return Worker.objects.update_or_create(
        name=name,
        defaults={
            "started_at": Now(),
            "seen_at": Now(),
            "driver": ability.driver,
            "driver_details": ability.details,
            "can_run_untrusted": ability.can_run_untrusted,
            "devices": list(ability.devices),
            "memory_mb": ability.memory_mb,
            "runtimes": list(ability.runtimes),
            **{name: text[:LONGEST] for name, text in texts.items()},
            "told": {name: _parts(text) for name, text in texts.items() if isinstance(text, Told)},
        },
    )[0]


def see_worker(*, name: str) -> None:
    """Note a sign of life."""
    Worker.objects.filter(name=name).update(seen_at=Now())


def forget_worker(*, name: str) -> None:
    """Remove a worker that stops in order."""
    Worker.objects.filter(name=name).delete()


def _parts(text: Told) -> tuple[str, Mapping[str, str]]:
    return text.template, {name: value[:LONGEST] for name, value in text.values.items()}
