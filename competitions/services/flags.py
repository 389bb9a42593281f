"""Flags against gaming: stored with a run's end, then confirmed or dismissed by organizers."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from competitions.errors import InvalidInput, NotAllowed, NotFound
from competitions.flags import FLAG_TEXTS, REPLAY_FLAGS
from competitions.models import Run, RunFlag
from competitions.selectors.access import organized_competitions, visible_submissions
from competitions.services.board_versions import touch_board

SEEN = ("strength", "threshold", "sentence")
DECIDED = ("verdict", "note", "reviewed_by_id", "reviewed_at")


@dataclass(frozen=True)
class RaisedFlag:
    """A sign that was seen in the outputs of a run: its code, what was measured, from where on it is raised."""

    code: str
    strength: float
    threshold: float
    sentence: str

    def __post_init__(self) -> None:
        """Refuse a code that no page could explain."""
        if self.code not in FLAG_TEXTS:
            raise ValueError(f"{self.code!r} is no flag; known are {', '.join(FLAG_TEXTS)}")


def record_flags(run: Run, flags: Sequence[RaisedFlag]) -> None:
    """Keep what was raised; called in the transaction that ends the run. Doing it twice changes no verdict.

    A rescoring looks at the pictures of its source: verdicts on those stand, and so does what showing pairs again
    revealed.
    """
    rows = {flag.code: RunFlag(run=run, **vars(flag)) for flag in flags}
    for known in RunFlag.objects.filter(run=run.source_id):
        if known.verdict != RunFlag.Verdict.OPEN or known.code in REPLAY_FLAGS:
            row = rows.setdefault(known.code, RunFlag(run=run, code=known.code, **_fields(known, SEEN)))
            for name, value in _fields(known, DECIDED).items():
                setattr(row, name, value)
    RunFlag.objects.bulk_create(
        rows.values(), update_conflicts=True, unique_fields=["run", "code"], update_fields=SEEN
    )


@transaction.atomic
def review_flag(*, flag_id: int, user: User, verdict: str, note: str = "") -> RunFlag:
    """Confirm a flag, dismiss it, or open it again; organizers of the competition and staff may.

    The board needs no new snapshot, since flags are read from their table.

    Raises:
        NotFound: there is no such flag, or the user may not see it.
        NotAllowed: the user may see it only.
        InvalidInput: there is no such verdict.
    """
    flag = _reviewable(flag_id, user)
    if verdict not in RunFlag.Verdict.values:
        raise InvalidInput(fields={"verdict": f"Choose one of {', '.join(RunFlag.Verdict.values)}."})
    flag.verdict, flag.note, flag.reviewed_by = verdict, note, user
    flag.reviewed_at = None if verdict == RunFlag.Verdict.OPEN else timezone.now()
    flag.full_clean()
    flag.save()
    touch_board(flag.run.submission.phase_id)
    return flag


def _reviewable(flag_id: int, user: User) -> RunFlag:
    rows = RunFlag.objects.select_for_update(of=("self",)).select_related("run__submission__phase")
    flag = rows.filter(pk=flag_id).first()
    if flag is None:
        raise NotFound("There is no such flag, or you may not see it.")
    submission = flag.run.submission
    if organized_competitions(user).filter(pk=submission.phase.competition_id).exists():
        return flag
    is_public = flag.verdict == RunFlag.Verdict.CONFIRMED
    if is_public and visible_submissions(user).filter(pk=submission.pk).exists():
        raise NotAllowed("Only organizers of the competition and staff can review a flag.")
    raise NotFound("There is no such flag, or you may not see it.")


def _fields(flag: RunFlag, names: Sequence[str]) -> dict[str, object]:
    return {name: getattr(flag, name) for name in names}
