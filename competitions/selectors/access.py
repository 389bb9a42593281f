"""Who may see and do what; every other selector asks here."""

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from accounts.models import User
from competitions.errors import NotAllowed, NotFound
from competitions.models import Competition, Run, Submission
from competitions.rules import RunState

Viewer = User | AnonymousUser


def visible_competitions(viewer: Viewer) -> QuerySet[Competition]:
    """Published competitions, and those that the viewer organizes; staff see all."""
    rows = Competition.objects.all()
    if isinstance(viewer, AnonymousUser):
        return rows.filter(is_published=True)
    if viewer.is_staff:
        return rows
    return rows.filter(Q(is_published=True) | Q(organizers=viewer)).distinct()


def listed_competitions(viewer: Viewer) -> QuerySet[Competition]:
    """Visible competitions without those that only whoever knows the address shall find; organizers see theirs."""
    rows = visible_competitions(viewer)
    return rows.filter(Q(is_listed=True) | Q(pk__in=organized_competitions(viewer).values("pk")))


def organized_competitions(viewer: Viewer) -> QuerySet[Competition]:
    """Competitions that the viewer runs; staff run all."""
    rows = Competition.objects.all()
    if isinstance(viewer, AnonymousUser):
        return rows.none()
    return rows if viewer.is_staff else rows.filter(organizers=viewer)


def check_organizer(viewer: Viewer, competition_pk: int) -> None:
    """Refuse everybody but the organizers of a competition and staff.

    Raises:
        NotAllowed: the viewer may see the competition only.
        NotFound: there is no such competition, or the viewer may not even see it.
    """
    if organized_competitions(viewer).filter(pk=competition_pk).exists():
        return
    if visible_competitions(viewer).filter(pk=competition_pk).exists():
        raise NotAllowed("Only the organizers of the competition and staff can do this.")
    raise NotFound("There is no such competition, or you may not see it.")


def managed_submissions(viewer: Viewer) -> QuerySet[Submission]:
    """Submissions of the viewer's teams and of competitions that the viewer organizes; staff manage all."""
    rows = Submission.objects.all()
    if isinstance(viewer, AnonymousUser):
        return rows.none()
    if viewer.is_staff:
        return rows
    return rows.filter(
        Q(team__members=viewer) | Q(phase__competition__organizers=viewer),
    ).distinct()


def visible_submissions(viewer: Viewer, *, only: UUID | None = None) -> QuerySet[Submission]:
    """Managed submissions, and whatever was scored in a competition that the viewer may see; no dry runs.

    With `only` at most the submission of that key, without looking through all others.
    """
    scored, managed = Submission.objects.all(), managed_submissions(viewer)
    if only is not None:
        scored, managed = scored.filter(pk=only), managed.filter(pk=only)
    scored = scored.filter(
        phase__competition__in=visible_competitions(viewer),
        runs__state=RunState.SCORED,
        runs__purpose__in=(Run.Purpose.SCORE, Run.Purpose.RESCORE),
    )
    return Submission.objects.filter(Q(pk__in=scored.values("pk")) | Q(pk__in=managed.values("pk")))


def visible_runs(viewer: Viewer) -> QuerySet[Run]:
    """All runs of the submissions that the viewer may see."""
    return Run.objects.filter(submission__in=visible_submissions(viewer).values("pk"))
