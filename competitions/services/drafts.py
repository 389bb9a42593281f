"""Set up a competition step by step: each step is accepted or refused alone, and what is refused is kept too."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.text import slugify

from accounts.models import User
from competitions.errors import InvalidInput, QuotaExceeded
from competitions.models import Competition, Draft, Organizer, Phase
from competitions.selectors.access import organized_competitions
from competitions.selectors.drafts import (
    TEXTS,
    get_draft_row,
    limits_of,
    suite_of,
    windows_of,
    with_stored_phases,
)
from competitions.services.competitions import create_competition, store_suite
from competitions.setting_up import (
    MAX_DRAFTS,
    MAX_ORGANIZERS,
    PhaseLimits,
    Step,
    Window,
    check_limits,
    check_may_change,
    check_windows,
)
from evaluation.errors import InvalidSuite
from evaluation.spec import load_suite

Typed = Mapping[str, Sequence[str]]


@transaction.atomic
def start_draft(*, user: User, slug: str, texts: Mapping[str, str]) -> Competition:
    """Begin a competition with its address and its texts.

    Raises:
        QuotaExceeded: the user has many that are not published.
        ValidationError: the address is taken, or a text is too long.
    """
    User.objects.select_for_update().get(pk=user.pk)  # two requests cannot share the last place
    drafts = organized_competitions(user).filter(is_published=False, organizer_rows__user=user).count()
    if drafts >= MAX_DRAFTS and not user.is_staff:
        raise QuotaExceeded(
            f"You have {drafts} competitions that are not published.", fix="Publish or reuse one of them."
        )
    competition = create_competition(
        slug=slug,
        title=texts["title"] or texts["title_zh"],
        summary=texts["summary"],
        description=texts["description"],
        organizer=user,
    )
    _write_texts(competition, texts)
    Draft.objects.create(competition=competition)
    return competition


@transaction.atomic
def keep_typed(*, slug: str, user: User, step: Step, typed: Typed) -> None:
    """Keep what was typed and not accepted, so that it is there when its author comes back."""
    draft = _locked(slug, user, step)
    draft.typed = {**draft.typed, step: {name: list(values) for name, values in typed.items()}}
    draft.save()


@transaction.atomic
def save_basics(*, slug: str, user: User, texts: Mapping[str, str]) -> None:
    """Save the texts of both languages.

    Raises:
        InvalidInput: no title in any language.
        ValidationError: a text is too long.
    """
    draft = _locked(slug, user, Step.BASICS)
    _write_texts(draft.competition, texts)
    _accept(draft, Step.BASICS)


@transaction.atomic
def save_task(*, slug: str, user: User, suite: str) -> None:
    """Choose how outputs are scored.

    Raises:
        InvalidInput: there is no such suite.
        IllegalTransition: the competition is published.
    """
    draft = _locked(slug, user, Step.TASK)
    try:
        load_suite(suite)
    except InvalidSuite as error:
        raise InvalidInput(error.message, fix=error.fix, fields={"suite": "unknown"}) from error
    _accept(draft, Step.TASK, {"suite": suite})


@transaction.atomic
def save_dates(*, slug: str, user: User, windows: Sequence[Window]) -> None:
    """Plan the phases.

    Raises:
        InvalidInput: a phase closes before it opens, two overlap, or one would go that has submissions.
    """
    check_windows(windows)
    draft = _locked(slug, user, Step.DATES)
    ordered = sorted(windows, key=lambda window: window.opens_at)
    _accept(draft, Step.DATES, {"phases": [window.to_json() for window in ordered]})


@transaction.atomic
def save_limits(*, slug: str, user: User, limits: PhaseLimits) -> None:
    """Say what a generator may use.

    Raises:
        InvalidInput: limits contradict each other.
        ValidationError: a limit is out of its range.
    """
    check_limits(limits)
    draft = _locked(slug, user, Step.LIMITS)
    _accept(draft, Step.LIMITS, limits.to_json())


@transaction.atomic
def save_people(*, slug: str, user: User, usernames: Sequence[str], is_listed: bool) -> None:
    """Say who organizes, and whether strangers find the competition.

    Raises:
        InvalidInput: nobody is left, too many, or a name is unknown.
    """
    draft = _locked(slug, user, Step.PEOPLE)
    names = list(dict.fromkeys(usernames))
    known = {found.username: found for found in User.objects.filter(username__in=names, is_active=True)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidInput(
            f"There is no user {unknown[0]!r}.",
            fix="Names are written as on their page.",
            fields={"organizers": "?"},
        )
    if not 0 < len(names) <= MAX_ORGANIZERS:
        raise InvalidInput(
            "A competition has one to ten organizers.",
            fix="Name them, one a line.",
            fields={"organizers": "?"},
        )
    competition = draft.competition
    competition.organizer_rows.exclude(user__in=known.values()).delete()
    for found in known.values():
        Organizer.objects.get_or_create(competition=competition, user=found)
    competition.is_listed = is_listed
    competition.save(update_fields=["is_listed"])
    _accept(draft, Step.PEOPLE, {"is_set": True})


def settle(draft: Draft) -> None:
    """Make the phases as planned, once everything that they need is known."""
    suite, limits, windows = suite_of(draft), limits_of(draft), windows_of(draft)
    data = draft.dataset_version
    if suite is None or limits is None or not windows or data is None or data.size != suite.size:
        return
    row = store_suite(suite=suite)
    known = list(Phase.objects.filter(competition=draft.competition).order_by("opens_at", "pk"))
    _drop(known[len(windows) :])
    if not draft.competition.is_published:
        _rename(known, windows)
    for number, window in enumerate(windows):
        phase = known[number] if number < len(known) else Phase(competition=draft.competition)
        if phase.pk is None:
            phase.slug = window.slug or _free_slug(window.title, draft.competition)
        elif draft.competition.is_published:
            _check_keeps_place(phase, window)
        if not draft.competition.is_published or phase.pk is None:
            phase.suite, phase.dataset_version = row, data
        phase.title, phase.opens_at, phase.closes_at = window.title, window.opens_at, window.closes_at
        if window.finals_per_team is not None:
            phase.finals_per_team = window.finals_per_team
        for name, value in limits.to_json().items():
            setattr(phase, name, value)
        if phase.pk is None or _is_changed(phase):
            phase.full_clean()
            phase.save()


def _rename(phases: Sequence[Phase], windows: Sequence[Window]) -> None:
    """Give phases the addresses that are planned for them; first others, so that two can change places."""
    moved = [(p, w.slug) for p, w in zip(phases, windows, strict=False) if w.slug not in ("", p.slug)]
    for phase, _ in moved:
        Phase.objects.filter(pk=phase.pk).update(slug=f"moving-{phase.pk}")
    for phase, slug in moved:
        phase.slug = slug


def _locked(slug: str, user: User, step: Step) -> Draft:
    """Lock a draft for a step, if the user organizes it and the step may still change."""
    found = get_draft_row(slug, user)
    draft = (
        Draft.objects.select_for_update(of=("self",))
        .select_related("competition", "dataset_version")
        .get(pk=found.pk)
    )
    check_may_change(step, is_published=draft.competition.is_published)
    return with_stored_phases(draft)


def _accept(draft: Draft, step: Step, answers: Mapping[str, object] | None = None) -> None:
    if answers is not None:
        draft.answers = {**draft.answers, step: dict(answers)}
    draft.typed = {name: typed for name, typed in draft.typed.items() if name != step}
    draft.save()
    settle(draft)


def _write_texts(competition: Competition, texts: Mapping[str, str]) -> None:
    if not (texts["title"] or texts["title_zh"]):
        raise InvalidInput("A competition needs a title.", fields={"title": "missing"})
    for name in TEXTS:
        setattr(competition, name, texts[name])
    competition.title = competition.title or competition.title_zh  # one that is always there
    competition.full_clean()
    competition.save()


def _drop(phases: Sequence[Phase]) -> None:
    """Delete phases that are not planned any more, unless somebody has handed something in."""
    for phase in phases:
        if phase.submissions.exists():
            raise InvalidInput(
                f"The phase {phase.title} has submissions, so it has to stay.",
                fix="Change its dates instead.",
            )
        phase.snapshots.all().delete()
        phase.delete()


def _check_keeps_place(phase: Phase, window: Window) -> None:
    """Refuse to give the submissions of one phase to another one, as a new phase before it would."""
    if phase.title != window.title and phase.submissions.exists():
        raise InvalidInput(
            f"The phase {phase.title} has submissions, so it keeps its name and its place.",
            fix="Add new phases after it.",
        )


def _free_slug(title: str, competition: Competition) -> str:
    """Make an address for a new phase: of its title, or of a number where that is taken or has no letters."""
    taken = set(Phase.objects.filter(competition=competition).values_list("slug", flat=True))
    choices = [slugify(title)[:50], *(f"phase-{n}" for n in range(1, len(taken) + 2))]
    return next(slug for slug in choices if slug and slug not in taken)


def _is_changed(phase: Phase) -> bool:
    """Compare with what is stored, so that the history holds real changes only."""
    stored = Phase.objects.get(pk=phase.pk)
    names = [field.attname for field in Phase._meta.concrete_fields]
    return any(getattr(stored, name) != getattr(phase, name) for name in names)
