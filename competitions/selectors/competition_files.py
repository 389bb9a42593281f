"""Read a competition as a file: what competition.toml says of it, its pictures, and what another file would change."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from competitions.errors import IllegalTransition, NotFound
from competitions.models import Competition, DatasetVersion, Draft, Phase
from competitions.selectors.access import Viewer, organized_competitions
from competitions.selectors.drafts import TEXTS, limits_of, suite_of, windows_of, with_stored_phases
from competitions.setting_up import AFTER_PUBLISHING, Freedom, PhaseLimits, Step, Window
from evaluation.competition_files.changes import Change, changes
from evaluation.competition_files.schema import (
    CREDITS_PAGE,
    Basics,
    CompetitionFile,
    Data,
    Limits,
    Task,
)
from evaluation.competition_files.schema import Phase as PhaseSection
from evaluation.pairs import PAIRS_FILE

STEP_OF = {
    "competition": Step.BASICS,
    "task": Step.TASK,
    "data": Step.DATA,
    "limits": Step.LIMITS,
    "phases": Step.DATES,
}


@dataclass(frozen=True)
class ChangeView:
    """One field that an import would change; `freedom` is empty while the competition is not published."""

    section: str
    field: str
    before: str | None
    after: str | None
    freedom: str


@dataclass(frozen=True)
class DifferenceView:
    """What an import would do."""

    slug: str
    is_new: bool
    is_published: bool
    changes: tuple[ChangeView, ...]

    @property
    def locked(self) -> tuple[ChangeView, ...]:
        """List what cannot change any more."""
        return tuple(change for change in self.changes if change.freedom == Freedom.LOCKED)


@dataclass(frozen=True)
class _State:
    """Where the parts of a competition stand: in its draft, in its phases, or in both."""

    competition: Competition
    draft: Draft | None
    phases: tuple[Phase, ...]

    @property
    def version(self) -> DatasetVersion | None:
        if self.phases and (self.draft is None or self.competition.is_published):
            return self.phases[0].dataset_version
        return self.draft.dataset_version if self.draft else None


def competition_file(slug: str, viewer: Viewer) -> CompetitionFile:
    """Return a competition that the viewer organizes as its file.

    Raises:
        NotFound: the viewer does not organize such a competition.
        IllegalTransition: its phases differ in what a file says once for all of them.
    """
    return _file(_state(slug, viewer))


def dataset_of(slug: str, viewer: Viewer) -> DatasetVersion | None:
    """Return the pictures of a competition that the viewer organizes, hidden ones among them."""
    return _state(slug, viewer).version


def data_files(version: DatasetVersion) -> Iterator[tuple[str, bytes | str]]:
    """Yield the files of a dataset folder by name: texts as bytes, pictures by their digest."""
    pairs = list(version.pairs.select_related("content", "style").order_by("name"))
    rows = [
        {
            "id": pair.name,
            "content": f"images/{pair.content.sha256}.png",
            "style": f"images/{pair.style.sha256}.png",
            **{name: getattr(pair, name) for name in ("split", "style_family", "culture", "content_kind")},
        }
        for pair in pairs
    ]
    document = {"schema": 1, "size": version.size, "pairs": rows}
    yield PAIRS_FILE, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
    if version.credits:
        yield CREDITS_PAGE, version.credits.encode()
    for sha256 in sorted({side.sha256 for pair in pairs for side in (pair.content, pair.style)}):
        yield f"images/{sha256}.png", sha256


def difference(file: CompetitionFile, viewer: Viewer) -> DifferenceView:
    """Say what an import of the file by this viewer would change, and what of it is locked.

    Raises:
        IllegalTransition: the competition was not set up step by step, so no file changes it.
    """
    slug = file.competition.slug
    if not organized_competitions(viewer).filter(slug=slug).exists():
        return DifferenceView(slug, True, False, tuple(_view(one, "") for one in changes(None, file)))
    state = _state(slug, viewer)
    if state.draft is None:
        raise IllegalTransition(
            "This competition was made by the operator's command, so no file changes it.",
            fix="Give the file another slug, which makes a new competition.",
        )
    is_published = state.competition.is_published
    found = [_view(one, _freedom(one) if is_published else "") for one in changes(_file(state), file)]
    return DifferenceView(slug, False, is_published, tuple(found))


def _freedom(change: Change) -> str:
    """Say whether a change may be made after publishing; addresses of phases stand in links."""
    is_moved = change.field.endswith("].slug") and change.before is not None
    if is_moved or change.field == "competition.slug":
        return Freedom.LOCKED
    return AFTER_PUBLISHING[STEP_OF[change.section]]


def _view(change: Change, freedom: str) -> ChangeView:
    return ChangeView(change.section, change.field, change.before, change.after, freedom)


def _state(slug: str, viewer: Viewer) -> _State:
    competition = organized_competitions(viewer).filter(slug=slug).first()
    if competition is None:
        raise NotFound("There is no such competition, or you do not organize it.")
    draft = (
        Draft.objects.select_related("competition", "dataset_version").filter(competition=competition).first()
    )
    phases = Phase.objects.filter(competition=competition).select_related("suite", "dataset_version")
    return _State(
        competition, with_stored_phases(draft) if draft else None, tuple(phases.order_by("opens_at", "pk"))
    )


def _file(state: _State) -> CompetitionFile:
    row, version = state.competition, state.version
    limits = _limits(state)
    return CompetitionFile(
        schema=1,
        competition=Basics(
            slug=row.slug, is_listed=row.is_listed, **{name: getattr(row, name) for name in TEXTS}
        ),
        task=_task(state),
        data=Data(digest=version.digest) if version else None,
        limits=Limits(**limits.to_json()) if limits else None,  # type: ignore[arg-type]
        phases=_sections(state) or None,
    )


def _task(state: _State) -> Task | None:
    if state.phases and (state.draft is None or state.competition.is_published):
        return Task(suite=state.phases[0].suite.name, digest=state.phases[0].suite.digest)
    suite = suite_of(state.draft) if state.draft else None
    return Task(suite=suite.id, digest=suite.digest) if suite else None


def _limits(state: _State) -> PhaseLimits | None:
    names = PhaseLimits().to_json()
    found = {
        (phase.suite_id, phase.dataset_version_id, *(getattr(phase, name) for name in names))
        for phase in state.phases
    }
    if len(found) > 1 and (state.draft is None or state.competition.is_published):
        raise IllegalTransition(
            "The phases differ in suite, data or limits, which a file says once for all of them.",
            fix="Bring the phases to the same limits first.",
        )
    if state.draft:
        return limits_of(state.draft)
    return PhaseLimits(**{name: getattr(state.phases[0], name) for name in names}) if state.phases else None


def _sections(state: _State) -> tuple[PhaseSection, ...]:
    """List the phases as planned; addresses and numbers of finals are those of the phases that were made."""
    made = state.phases
    windows = windows_of(state.draft) if state.draft else _windows(made)
    return tuple(
        PhaseSection(
            title=window.title,
            opens_at=window.opens_at,
            closes_at=window.closes_at,
            slug=(made[n].slug if n < len(made) else window.slug) or None,
            finals_per_team=made[n].finals_per_team if n < len(made) else window.finals_per_team or 1,
        )
        for n, window in enumerate(windows)
    )


def _windows(phases: tuple[Phase, ...]) -> tuple[Window, ...]:
    return tuple(Window(phase.title, phase.opens_at, phase.closes_at) for phase in phases)
