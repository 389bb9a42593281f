"""What the pages of setting up share: the preview, and what each step shows beside its form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django import forms
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from competitions.errors import CompetitionError
from competitions.rules import phase_state
from competitions.selectors.drafts import DraftView, DryRunView, dry_run
from competitions.selectors.surveys import survey_of
from competitions.setting_up import AFTER_PUBLISHING, Step, Window
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.spec import MetricSuite, load_suite, suite_ids
from frontend.explain import explain
from frontend.intake_reports import report_context
from frontend.organizer_forms import ArchiveForm, FolderForm, PhaseForm, ReasonToPublishForm, StepForm

NAMES: dict[str, str | Promise] = {
    Step.BASICS: _("Basics"),
    Step.TASK: _("Task and metrics"),
    Step.DATA: _("Data"),
    Step.DATES: _("Phases and dates"),
    Step.LIMITS: _("Limits"),
    Step.PEOPLE: _("People and visibility"),
    Step.PUBLISH: _("Check and publish"),
}


@dataclass(frozen=True)
class Preview:
    """The card of a competition that is being written."""

    title: str
    summary: str
    description: str
    is_other_language: bool
    window: Window | None
    state: str
    suite: str
    n_hidden: int
    pictures: tuple[str, ...]
    slug: str


@dataclass(frozen=True)
class SuiteChoice:
    """A metric suite with what it counts and what it misses."""

    suite: MetricSuite
    parts: tuple[tuple[str, str], ...]


def step_context(draft: DraftView, step: Step, user: User) -> dict[str, object]:
    """Collect what a step's page shows beside its form."""
    context: dict[str, object] = {
        "draft": draft,
        "step": step,
        "name": NAMES[step],
        "number": list(Step).index(step) + 1,
        "freedom": AFTER_PUBLISHING[step] if draft.is_published else None,
        "preview": preview_of(draft),
    }
    if step is Step.TASK:
        context["choices"] = _choices()
    elif step is Step.DATA:
        context |= report_context(draft.report, draft.thumbnails)
        context |= {"form": ArchiveForm(), "folder_form": FolderForm() if user.is_staff else None}
        survey = survey_of(draft.slug, user)
        context |= {"survey": survey, "slug": draft.slug}
        context |= refusal_context(survey.problem if survey else None)
    elif step is Step.PUBLISH:
        context |= report_context(draft.report, draft.thumbnails)
        context |= trial_context(dry_run(draft.slug, user)) | {"form": ReasonToPublishForm()}
    return context


def refusal_context(problem: CompetitionError | None) -> dict[str, object]:
    """Collect what is told of files that were refused: the error, and which rule of zip files they break."""
    return {
        "problem": explain(problem) if problem else None,
        "rule": problem.fields.get("rule", "") if problem else "",
    }


def trial_context(trial: DryRunView) -> dict[str, object]:
    """Collect what is shown of a dry run."""
    return {"trial": trial, "shown_scores": ("headline", "content", "style")}


def preview_of(draft: DraftView | None, form: "StepForm | None" = None) -> Preview:
    """Show what is saved, and over it what is typed, as far as it makes sense."""
    texts: dict[str, str] = dict(draft.texts) if draft else {}
    windows: Sequence[Window] = draft.windows if draft else ()
    if isinstance(form, forms.BaseFormSet):
        windows = _typed_windows(form) or windows
    elif form is not None and form.is_bound and "title" in form.fields:
        form.is_valid()
        texts |= {name: str(form.cleaned_data.get(name) or "") for name in _TEXTS}
    first = min(windows, key=lambda window: window.opens_at, default=None)
    report, thumbnails = (draft.report, draft.thumbnails) if draft else (None, {})
    shown, is_other_language = _in_language(texts)
    return Preview(
        title=shown["title"],
        summary=shown["summary"],
        description=shown["description"],
        is_other_language=is_other_language,
        window=first,
        state=phase_state(first.opens_at, first.closes_at, timezone.now()) if first else "",
        suite=draft.suite.id if draft and draft.suite else "",
        n_hidden=report.n_hidden if report and not report.is_fatal else 0,
        pictures=_pictures(report.previews if report else (), thumbnails),
        slug=draft.slug if draft else "",
    )


_TEXTS = ("title", "title_zh", "summary", "summary_zh", "description", "description_zh")


def _in_language(texts: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """Choose the reader's language, as the public page does, and say where a text is in the other one."""
    own, other = ("_zh", "") if (get_language() or "").startswith("zh") else ("", "_zh")
    shown = {
        name: texts.get(name + own) or texts.get(name + other) or ""
        for name in ("title", "summary", "description")
    }
    return shown, bool(texts.get("summary" + other)) and not texts.get("summary" + own)


def _typed_windows(form: "forms.BaseFormSet[PhaseForm]") -> list[Window]:
    if not form.is_bound:
        return []
    form.is_valid()
    found = [row.window for row in form.forms if hasattr(row, "cleaned_data")]
    return [window for window in found if window]


def _pictures(names: Sequence[str], thumbnails: Mapping[str, str]) -> tuple[str, ...]:
    """Choose four pictures from the beginning, the middle and the end."""
    known = [thumbnails[name] for name in names if name in thumbnails]
    return tuple(known[:: max(1, len(known) // 4)][:4])


def _choices() -> list[SuiteChoice]:
    """List the suites, the official ones first."""
    suites = sorted((load_suite(name) for name in suite_ids()), key=lambda suite: (suite.is_demo, suite.id))
    return [SuiteChoice(suite, _parts(suite)) for suite in suites]


def _parts(suite: MetricSuite) -> tuple[tuple[str, str], ...]:
    names = dict.fromkeys((*suite.content_parts, *suite.style_parts))
    return tuple(
        (METRIC_SPECS[name].title, METRIC_SPECS[name].misses) for name in names if name in METRIC_SPECS
    )
