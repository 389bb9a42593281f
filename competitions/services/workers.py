"""Note that a worker is alive, and what it can run."""

from dataclasses import dataclass, field

from django.db.models.functions import Now

from competitions.models import Worker
from evaluation.manifest import RUNTIMES


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
            "obstacle": ability.obstacle[:500],
            "reason": ability.reason[:500],
            "advice": ability.advice[:500],
        },
    )[0]


def see_worker(*, name: str) -> None:
    """Note a sign of life."""
    Worker.objects.filter(name=name).update(seen_at=Now())


def forget_worker(*, name: str) -> None:
    """Remove a worker that stops in order."""
    Worker.objects.filter(name=name).delete()
