"""The forms of setting a competition up: they check shape, never rules."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from competitions.selectors.drafts import DraftView
from competitions.setting_up import MAX_PHASES, PhaseLimits, Step, Window

MINUTE = "%Y-%m-%dT%H:%M"


class BasicsForm(forms.Form):
    """What the competition is called and what it asks for, in both languages."""

    title = forms.CharField(label=_("Title in English"), max_length=120, required=False)
    title_zh = forms.CharField(label=_("Title in Chinese"), max_length=120, required=False)
    summary = forms.CharField(
        label=_("Summary in English"),
        help_text=_("One sentence: what generators have to paint. It stands on the card."),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    summary_zh = forms.CharField(
        label=_("Summary in Chinese"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    description = forms.CharField(
        label=_("Description in English"),
        help_text=_("Markdown: headings, lists, tables and links. No HTML, no pictures."),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    description_zh = forms.CharField(
        label=_("Description in Chinese"),
        max_length=20_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    def clean(self) -> dict[str, object]:
        """Ask for a title in one of the two languages."""
        fields = self.cleaned_data
        if not (fields.get("title") or fields.get("title_zh")) and not self.errors:
            self.add_error("title", _("Write a title in at least one language."))
        return fields


class NewForm(BasicsForm):
    """The same with the address, which never changes afterwards."""

    slug = forms.SlugField(
        label=_("Address"),
        max_length=48,
        help_text=_(
            "Small letters, digits and hyphens; the page will be /c/ADDRESS/. It can't be changed later."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )
    field_order = ("slug",)

    def clean_slug(self) -> str:
        """Keep addresses in small letters, and free what the pages themselves need."""
        slug = str(self.cleaned_data["slug"]).lower()
        if slug in ("new", "preview", "example"):
            raise forms.ValidationError(_("This address is taken."))
        return slug


class TaskForm(forms.Form):
    """How outputs are scored."""

    suite = forms.CharField(max_length=80, error_messages={"required": _("Choose a metric suite.")})


class ArchiveForm(forms.Form):
    """Pictures as a zip file."""

    archive = forms.FileField(
        label=_("Zip file with pictures"),
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,application/zip"}),
    )


class FolderForm(forms.Form):
    """Pictures that lie on the server already."""

    folder = forms.CharField(
        label=_("Folder on the server"), max_length=500, help_text=_("The whole path. For staff only.")
    )


class PhaseForm(forms.Form):
    """When one phase takes submissions; an empty row is no phase."""

    title = forms.CharField(label=_("Name of the phase"), max_length=120, required=False)
    opens_at = forms.DateTimeField(
        label=_("Opens (UTC)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MINUTE),
    )
    closes_at = forms.DateTimeField(
        label=_("Closes (UTC)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=MINUTE),
    )

    def clean(self) -> dict[str, object]:
        """Ask for all of a row or nothing."""
        fields = self.cleaned_data
        filled = [name for name in ("title", "opens_at", "closes_at") if fields.get(name)]
        for name in set(self.fields) - set(filled) - set(self.errors):
            if filled:
                self.add_error(name, _("Fill in the whole row, or empty it."))
        return fields

    @property
    def window(self) -> Window | None:
        """Return the phase, or nothing for an empty row."""
        fields = self.cleaned_data
        opens, closes = fields.get("opens_at"), fields.get("closes_at")
        if not (isinstance(opens, datetime) and isinstance(closes, datetime)):
            return None
        return Window(fields["title"], opens, closes)


PhaseFormSet = forms.formset_factory(PhaseForm, extra=0, max_num=MAX_PHASES, absolute_max=MAX_PHASES)


class LimitsForm(forms.Form):
    """What a generator may use, and how submissions count."""

    runs_per_day = forms.IntegerField(label=_("Runs a team has each day"), min_value=1, max_value=1000)
    runs_total = forms.IntegerField(label=_("Runs a team has in a phase"), min_value=1, max_value=100_000)
    pair_seconds = forms.IntegerField(label=_("Seconds for a pair"), min_value=1, max_value=600)
    load_seconds = forms.IntegerField(label=_("Seconds to load"), min_value=1, max_value=1800)
    run_seconds = forms.IntegerField(label=_("Seconds for a whole run"), min_value=60, max_value=18_000)
    memory_mb = forms.IntegerField(label=_("Memory in MB"), min_value=256, max_value=262_144)
    device = forms.ChoiceField(label=_("Device"), choices=[("cpu", _("CPU")), ("gpu", _("GPU"))])
    required_coverage = forms.FloatField(
        label=_("Share of pairs that must succeed"),
        help_text=_("Between 0.5 and 1; entries below it are shown without a rank."),
        min_value=0.5,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "0.01"}),
    )
    counting = forms.ChoiceField(
        label=_("Which submission of a team counts"),
        choices=[("best", _("the best one")), ("latest", _("the latest one"))],
    )

    @property
    def limits(self) -> PhaseLimits:
        """Return the limits that were typed."""
        return PhaseLimits(**self.cleaned_data)


class PeopleForm(forms.Form):
    """Who organizes, and who finds the competition."""

    organizers = forms.CharField(
        label=_("Organizers"),
        help_text=_("Usernames, one a line. All of them can change everything here."),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4, "autocapitalize": "none", "spellcheck": "false"}),
    )
    is_listed = forms.TypedChoiceField(
        label=_("Who finds it"),
        choices=[
            ("yes", _("everybody: it stands in the list of competitions")),
            ("no", _("only those who know its address")),
        ],
        coerce=lambda value: value == "yes",
    )

    @property
    def usernames(self) -> list[str]:
        """Return the names, one a line."""
        return [line.strip() for line in self.cleaned_data["organizers"].splitlines() if line.strip()]


class ReasonToPublishForm(forms.Form):
    """Why a competition is published without a dry run."""

    reason = forms.CharField(
        label=_("Why without a dry run"),
        help_text=_("Only organizers see it. Needed where no dry run of this set-up was scored."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class AnnouncementForm(forms.Form):
    """Something to tell everybody."""

    title = forms.CharField(label=_("Heading"), max_length=120)
    text = forms.CharField(
        label=_("Text"),
        help_text=_("Markdown, as in the description."),
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class RescoreForm(forms.Form):
    """Which phase gets which suite."""

    phase = forms.IntegerField()
    suite = forms.CharField(max_length=80)


StepForm: TypeAlias = "forms.Form | forms.BaseFormSet[PhaseForm]"

FORMS: dict[Step, type[forms.Form]] = {
    Step.BASICS: BasicsForm,
    Step.TASK: TaskForm,
    Step.LIMITS: LimitsForm,
    Step.PEOPLE: PeopleForm,
}


def step_form(step: Step, draft: DraftView, sent: QueryDict | None) -> StepForm:
    """Make the form of a step: with what was sent now, else sent last and not accepted, else accepted."""
    data = sent if sent is not None else _restored(draft.typed.get(step, {}))
    if step is Step.DATES:
        initial = _phases(draft.windows) if data is None else None
        return PhaseFormSet(data, initial=initial, prefix="phases")
    return FORMS[step](data, initial=_initial(step, draft))


def _restored(typed: Mapping[str, Sequence[str]]) -> QueryDict | None:
    if not typed:
        return None
    data = QueryDict(mutable=True)
    for name, values in typed.items():
        data.setlist(name, list(values))
    return data


def _initial(step: Step, draft: DraftView) -> dict[str, object]:
    if step is Step.BASICS:
        return dict(draft.texts)
    if step is Step.TASK:
        return {"suite": draft.suite.id if draft.suite else ""}
    if step is Step.LIMITS:
        return dict((draft.limits or PhaseLimits()).to_json())
    return {"organizers": "\n".join(draft.organizers), "is_listed": "yes" if draft.is_listed else "no"}


def _phases(windows: Sequence[Window]) -> list[dict[str, object]]:
    """Fill in the planned phases and leave room for another one."""
    rows = [{"title": w.title, "opens_at": w.opens_at, "closes_at": w.closes_at} for w in windows]
    n_empty = 1 if len(rows) in range(1, MAX_PHASES) else 0 if rows else 2
    return [*rows, *({} for _ in range(n_empty))]
