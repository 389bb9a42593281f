"""What a competition file would change, field by field."""

from dataclasses import dataclass
from datetime import UTC, datetime

from evaluation.competition_files.schema import CompetitionFile

SECTIONS = ("competition", "task", "data", "limits", "phases")


@dataclass(frozen=True)
class Change:
    """One field that would become another; None: it is not there."""

    section: str
    field: str
    before: str | None
    after: str | None


def changes(before: CompetitionFile | None, after: CompetitionFile) -> tuple[Change, ...]:
    """List what differs; what the new file leaves out stays: sections, digests, addresses of phases."""
    found = []
    for section in SECTIONS:
        new = _fields(after, section)
        old = _fields(before, section) if before else {}
        if not new:
            continue
        found += [
            Change(section, name, old.get(name), new.get(name))
            for name in dict.fromkeys([*new, *old])
            if name not in new or new[name] not in (None, old.get(name))
        ]
    return tuple(found)


def _fields(file: CompetitionFile, section: str) -> dict[str, str | None]:
    value = getattr(file, section)
    if value is None:
        return {}
    if section == "phases":
        rows = sorted(value, key=lambda phase: phase.opens_at)
        return {
            f"phases[{n}].{name}": _text(one)
            for n, phase in enumerate(rows, start=1)
            for name, one in phase.model_dump().items()
        }
    return {f"{section}.{name}": _text(one) for name, one in value.model_dump().items()}


def _text(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)
