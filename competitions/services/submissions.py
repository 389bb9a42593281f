"""Take in submissions, baselines and dry runs: inspect without executing, check the rules, queue a run."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Team, User
from accounts.services import ensure_personal_team
from competitions.errors import (
    DuplicateSubmission,
    IllegalTransition,
    NotAllowed,
    NotATeamMember,
    RefusedArchive,
    UploadTooLarge,
)
from competitions.models import Artifact, Phase, QuotaEntry, Run, Submission
from competitions.rules import check_phase_is_open, check_quota, may_be_retried, start_of_day
from competitions.selectors.access import check_organizer
from competitions.selectors.submissions import get_submission, has_earlier_submission
from competitions.services.artifacts import store_path
from competitions.services.moderation import stop_run
from competitions.services.queue import create_run
from competitions.services.runs import cancel
from evaluation.archive import ArchiveInfo, ArchiveLimits, inspect_archive
from evaluation.errors import InvalidArchive
from evaluation.shipped import shipped_digests


@dataclass(frozen=True)
class Upload:
    """An archive on its way in: an open binary file and what the sender says about it."""

    content: IO[bytes]
    size: int
    note: str = ""
    allow_duplicate: bool = False


def check_submission(
    *, phase_pk: int, team: Team, user: User, sha256: str = "", allow_duplicate: bool = False
) -> None:
    """Refuse what would be refused anyway, before anybody sends it: window, quota, team, an archive that was in before.

    Raises:
        CompetitionError: as `create_submission` does; without a digest repeats are not looked for.
    """
    if not team.memberships.filter(user=user).exists():
        raise NotATeamMember
    _check_may_submit(Phase.objects.get(pk=phase_pk), team, user)
    if not sha256 or allow_duplicate:
        return
    if has_earlier_submission(phase_pk=phase_pk, team_pk=team.pk, archive_sha256=sha256):
        raise DuplicateSubmission


def create_submission(*, phase_pk: int, team: Team, user: User, upload: Upload) -> Submission:
    """Hand in an archive for a phase: refused with a reason, or stored and queued. Nothing is executed.

    Raises:
        CompetitionError: window, quota, team or archive do not allow it; nothing is kept then.
    """
    phase = Phase.objects.get(pk=phase_pk)
    check_submission(phase_pk=phase_pk, team=team, user=user)  # before the costly inspection
    with _received(upload, phase) as (path, info):
        check_submission(
            phase_pk=phase_pk,
            team=team,
            user=user,
            sha256=info.sha256,
            allow_duplicate=upload.allow_duplicate,
        )
        with transaction.atomic():
            Team.objects.select_for_update().get(pk=team.pk)  # two uploads cannot share the last slot
            _check_may_submit(phase, team, user)
            submission = _store(
                phase, path, info, kind=Submission.Kind.ENTRY, team=team, user=user, note=upload.note
            )
            create_run(submission=submission, actor=f"user {user.username}")
    return submission


def register_baseline(*, phase_pk: int, upload: Upload, title: str = "") -> Submission:
    """Put a reference generator beside the entries; the same archive again only repeats a run that we broke."""
    phase = Phase.objects.get(pk=phase_pk)
    with _received(upload, phase) as (path, info), transaction.atomic():
        known = Submission.objects.filter(
            phase=phase, kind=Submission.Kind.BASELINE, archive__sha256=info.sha256
        ).first()
        if known is not None:
            _run_again_after_infra(known)
            return known
        submission = _store(phase, path, info, kind=Submission.Kind.BASELINE, note=upload.note, name=title)
        create_run(submission=submission, actor="operator")
    return submission


def dry_run(*, phase_pk: int, user: User, uploads: Sequence[Upload]) -> list[Submission]:
    """Try a phase out with archives before it is published: first in the queue, free, and never on the board.

    Raises:
        NotAllowed: the user does not organize the competition.
        CompetitionError: an archive is refused; those before it are queued.
    """
    phase = Phase.objects.get(pk=phase_pk)
    check_organizer(user, phase.competition_id)
    team, made = ensure_personal_team(user=user), []
    for upload in uploads:
        with _received(upload, phase) as (path, info), transaction.atomic():
            submission = _store(
                phase, path, info, kind=Submission.Kind.ENTRY, team=team, user=user, note=upload.note
            )
            create_run(submission=submission, purpose=Run.Purpose.DRY_RUN, actor=f"user {user.username}")
        made.append(submission)
    return made


def retry_submission(*, submission_id: UUID, user: User) -> Run:
    """Queue a submission anew as it is, after it was cancelled or failed by our fault; quota is reserved again.

    Raises:
        NotFound: there is no such submission, or the user may not see it.
        NotATeamMember: the user is not of the team that submitted.
        IllegalTransition: its last run is under way, or ended in a way that a repetition does not change.
        CompetitionError: window or quota do not allow it.
    """
    get_submission(submission_id, user)
    submission = Submission.objects.select_related("phase", "team").get(pk=submission_id)
    team = submission.team
    if team is None or not team.memberships.filter(user=user).exists():
        raise NotATeamMember("Only the team that submitted can repeat this run.")
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        _check_may_submit(submission.phase, team, user)
        newest = submission.runs.filter(purpose=Run.Purpose.SCORE).order_by("-sequence").first()
        if newest is None or not may_be_retried(newest.state, newest.failure_code):
            raise IllegalTransition(
                "Only a run that was cancelled, or that the platform broke, can be repeated as it is.",
                fix="Hand in a changed archive.",
            )
        return create_run(submission=submission, actor=f"user {user.username}")


def cancel_submission(*, submission_id: UUID, user: User) -> None:
    """Cancel the live run of a submission; its team may, and organizers and staff may at no cost to the team.

    Raises:
        NotFound: there is no such submission, or the user may not see it.
        NotAllowed: the user may see it only.
        IllegalTransition: the run has ended.
    """
    submission = get_submission(submission_id, user)
    if not submission.can_manage:
        raise NotAllowed("Only the team that submitted, the organizers and staff can cancel this run.")
    end = cancel if user.teams.filter(slug=submission.team_slug).exists() else stop_run
    end(run_id=submission.run.id, actor=f"user {user.username}")


def archive_limits() -> ArchiveLimits:
    """Return the limits by which an archive is taken in, and by which a worker unpacks it."""
    return ArchiveLimits(packed=settings.MAX_ARCHIVE_MB * 2**20)


def _run_again_after_infra(baseline: Submission) -> None:
    """Queue a baseline anew whose last run ended by our own fault."""
    newest = baseline.runs.filter(purpose=Run.Purpose.SCORE).order_by("-sequence").first()
    if newest is not None and newest.failure_code == "INFRA":
        create_run(submission=baseline, actor="operator")


def _check_may_submit(phase: Phase, team: Team, user: User) -> None:
    """Look at the window, at the team's runs, and at the user's in all teams: many teams bring nobody more."""
    now = timezone.now()
    check_phase_is_open(phase.opens_at, phase.closes_at, now)
    paid = QuotaEntry.objects.filter(phase=phase).exclude(state=QuotaEntry.State.REFUNDED)
    mine = paid.filter(run__submission__submitted_by=user)
    for who, used in (("The team has", paid.filter(team=team)), ("You have, over all of your teams,", mine)):
        check_quota(
            used_today=used.filter(created_at__gte=start_of_day(now)).count(),
            per_day=phase.runs_per_day,
            used_total=used.count(),
            total=phase.runs_total,
            now=now,
            who=who,
        )


@contextmanager
def _received(upload: Upload, phase: Phase) -> Iterator[tuple[Path, ArchiveInfo]]:
    """Copy an upload to a temporary file and inspect it there; the copy is gone afterwards."""
    limit = settings.MAX_ARCHIVE_MB * 2**20
    if upload.size > limit:
        raise UploadTooLarge(
            f"The archive has {upload.size / 2**20:.1f} MB; the limit is {settings.MAX_ARCHIVE_MB} MB."
        )
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix="archive-") as folder:
        path = Path(folder) / "archive.zip"
        with path.open("xb") as target:
            upload.content.seek(0)
            shutil.copyfileobj(upload.content, target, 2**20)
        try:
            info = inspect_archive(path, archive_limits())
        except InvalidArchive as error:
            fields = {"archive": error.message, "rule": error.reason}
            raise RefusedArchive(error.message, fix=error.fix, fields=fields) from error
        if info.manifest.device == "cuda" and phase.device != Phase.Device.GPU:
            raise RefusedArchive(
                "The manifest asks for device 'cuda'; the runs of this phase get no GPU.",
                fix='Set "device": "cpu" in manifest.json.',
            )
        yield path, info


def _store(
    phase: Phase,
    path: Path,
    info: ArchiveInfo,
    *,
    kind: Submission.Kind,
    team: Team | None = None,
    user: User | None = None,
    note: str = "",
    name: str = "",
) -> Submission:
    submission = Submission(
        phase=phase,
        kind=kind,
        team=team,
        submitted_by=user,
        name=name or info.manifest.name,
        note=note,
        archive=store_path(kind=Artifact.Kind.ARCHIVE, path=path),
        manifest=info.manifest.model_dump(mode="json", by_alias=True),
        is_shipped=info.sha256 in shipped_digests(),
    )
    submission.full_clean()
    submission.save()
    return submission
