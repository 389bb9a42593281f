"""Read how the survey of an organizer's files goes, and whether somebody still works on it."""

from dataclasses import dataclass

from django.db.models import ExpressionWrapper, F, fields
from django.db.models.functions import Now

from competitions.clock import in_seconds
from competitions.errors import CompetitionError, IllegalTransition
from competitions.models import DataSurvey, Draft
from competitions.selectors.access import Viewer
from competitions.selectors.drafts import get_draft_row, read_report
from evaluation.intake.findings import Report

SILENT_SECONDS = 120  # one file takes less, and so does making the dataset of stored pictures
UNTAKEN_SECONDS = 30  # a worker that is there and has nothing to do takes work at once

State = DataSurvey.State


@dataclass(frozen=True)
class SurveyView:
    """A survey under way, or why it was refused. `n_before` counts the surveys that wait longer, or are under way.

    `sha256` is that of the zip.
    """

    state: str
    sha256: str
    files_done: int
    files_total: int
    seconds_silent: int
    n_before: int
    is_any_worked_on: bool
    problem: CompetitionError | None

    @property
    def is_live(self) -> bool:
        """Say whether it is still to end."""
        return self.state != State.REFUSED

    @property
    def is_lost(self) -> bool:
        """Say whether its worker gives no sign any more."""
        return self.state == State.RUNNING and self.seconds_silent > SILENT_SECONDS

    @property
    def is_untaken(self) -> bool:
        """Say whether nobody takes it although nobody is at another one."""
        is_waiting = self.state == State.WAITING and not self.is_any_worked_on
        return is_waiting and self.seconds_silent > UNTAKEN_SECONDS


@dataclass(frozen=True)
class DataView:
    """What was found in the files looked at last, and the survey of files that came after them."""

    report: Report | None
    survey: SurveyView | None


def data_of(slug: str, viewer: Viewer) -> DataView:
    """Return what is known of the pictures of a competition that the viewer organizes.

    Raises:
        NotFound: the viewer does not organize such a competition.
    """
    draft = get_draft_row(slug, viewer)
    survey = survey_view(draft)
    draft.refresh_from_db(fields=["report"])  # read after the survey, whose end writes it
    return DataView(read_report(draft.report)[0], survey)


def survey_of(slug: str, viewer: Viewer) -> SurveyView | None:
    """Return the survey of a competition that the viewer organizes; None where nothing is under way or refused.

    Raises:
        NotFound: the viewer does not organize such a competition.
    """
    return survey_view(get_draft_row(slug, viewer))


def survey_view(draft: Draft) -> SurveyView | None:
    """Show the survey of a draft; times are the database's."""
    silence = ExpressionWrapper(Now() - F("seen_at"), output_field=fields.DurationField())
    rows = DataSurvey.objects.filter(draft=draft).select_related("upload")
    row = rows.annotate(silence=silence).first()
    if row is None:
        return None
    n_waiting, n_running = _others(row) if row.state == State.WAITING else (0, 0)
    return SurveyView(
        state=row.state,
        sha256=row.upload.sha256,
        files_done=row.files_done,
        files_total=row.files_total,
        seconds_silent=max(0, round(row.silence.total_seconds())),
        n_before=n_waiting + n_running,
        is_any_worked_on=n_running > 0,
        problem=_problem(row),
    )


def check_nobody_looks(draft: Draft) -> None:
    """Refuse other files while some are looked at.

    Raises:
        IllegalTransition: a survey is under way.
    """
    if DataSurvey.objects.filter(draft=draft).exclude(state=State.REFUSED).exists():
        raise IllegalTransition(
            "Files of this competition are being looked at already.",
            fix="Wait for their report, or stop that on the page for the data.",
        )


def _others(row: DataSurvey) -> tuple[int, int]:
    """Count the surveys that have waited longer, and those that a worker is at."""
    earlier = DataSurvey.objects.filter(state=State.WAITING, asked_at__lt=row.asked_at).exclude(pk=row.pk)
    running = DataSurvey.objects.filter(state=State.RUNNING, seen_at__gt=in_seconds(-SILENT_SECONDS))
    return earlier.count(), running.count()


def _problem(row: DataSurvey) -> CompetitionError | None:
    if row.state != State.REFUSED:
        return None
    told = row.problem
    kinds = {kind.code: kind for kind in CompetitionError.__subclasses__()}
    kind = kinds.get(told["code"], CompetitionError)
    return kind(told["message"], fix=told["fix"], fields=told["fields"])
