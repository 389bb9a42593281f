"""A competition as a file: exported and imported it is the same, and nothing locked or half-written passes."""

import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from competitions.errors import (
    CompetitionError,
    IllegalTransition,
    InvalidDataset,
    InvalidFile,
    LockedSince,
    NotFound,
)
from competitions.models import Competition, DatasetVersion, Phase
from competitions.selectors.competition_files import competition_file
from competitions.services import drafts, publishing
from competitions.services.competition_files import check_file, import_zip, write_zip
from competitions.services.intake import take_in_zip
from competitions.setting_up import PhaseLimits
from evaluation.competition_files.reading import read_file
from evaluation.competition_files.schema import Basics, CompetitionFile, Limits
from evaluation.competition_files.schema import Phase as PhaseSection
from evaluation.competition_files.writing import write_file
from evaluation.intake.example import example_zip
from evaluation.spec import suite_ids
from tests.competitions.test_drafts import NOW, TEXTS, windows
from tests.competitions.test_intake import unpacked, zipped

FILE = "competition.toml"
EXAMPLES = Path(__file__).parents[2] / "examples"
ANY = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")


@pytest.fixture
def ready(organizer: User) -> Competition:
    """A competition that could be published."""
    made = drafts.start_draft(user=organizer, slug="new", texts=TEXTS)
    drafts.save_task(slug="new", user=organizer, suite="sts-demo-2")
    data = example_zip()
    take_in_zip(slug="new", user=organizer, content=BytesIO(data), size=len(data))
    drafts.save_dates(slug="new", user=organizer, windows=windows((0, 5), (5, 9)))
    drafts.save_limits(slug="new", user=organizer, limits=PhaseLimits(memory_mb=512))
    return made


def exported(slug: str, user: User) -> dict[str, bytes]:
    target = BytesIO()
    write_zip(slug=slug, user=user, target=target)
    return unpacked(target.getvalue())


def imported(files: dict[str, bytes], user: User) -> object:
    data = zipped(files)
    return import_zip(user=user, content=BytesIO(data), size=len(data))


def edited(files: dict[str, bytes], *changes: tuple[str, str]) -> dict[str, bytes]:
    text = files[FILE].decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return files | {FILE: text.encode()}


def line_of(text: str, field: str) -> int:
    """Return where a field stands; of several phases, in the last one."""
    section, _, name = field.rpartition(".")
    head = "[[phases]]" if section.startswith("phases") else f"[{section or name}]"
    rows = text.splitlines()
    start = max(number for number, row in enumerate(rows, start=1) if row == head)
    inside = (
        number for number in range(start + 1, len(rows) + 1) if rows[number - 1].startswith(f"{name} =")
    )
    return next(inside) if section else start


def refusal(action: Callable[[], object]) -> CompetitionError:
    with pytest.raises(CompetitionError) as caught:
        action()
    return caught.value


@st.composite
def phases(draw: st.DrawFn) -> tuple[PhaseSection, ...]:
    slugs = draw(
        st.lists(st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True), unique=True, min_size=1, max_size=4)
    )
    moments = sorted(draw(st.lists(st.integers(0, 10**9), unique=True, min_size=8, max_size=8)))
    return tuple(
        PhaseSection(
            title=draw(st.text(ANY, min_size=1, max_size=120)),
            opens_at=NOW + timedelta(microseconds=moments[2 * n]),
            closes_at=NOW + timedelta(microseconds=moments[2 * n + 1]),
            slug=slug,
            finals_per_team=draw(st.integers(0, 10)),
        )
        for n, slug in enumerate(slugs)
    )


BASICS = st.builds(
    Basics,
    slug=st.just("copy"),
    title=st.text(ANY, min_size=1, max_size=120),
    title_zh=st.text(ANY, max_size=120),
    summary=st.text(ANY, max_size=300),
    summary_zh=st.text(ANY, max_size=300),
    description=st.text(ANY, max_size=500),
    description_zh=st.text(ANY, max_size=500),
    is_listed=st.booleans(),
)
LIMITS = st.builds(
    Limits,
    runs_per_day=st.integers(1, 50),
    runs_total=st.integers(50, 1000),
    pair_seconds=st.integers(1, 100),
    load_seconds=st.integers(1, 100),
    run_seconds=st.integers(200, 18000),
    memory_mb=st.integers(256, 2**31 - 1),
    device=st.sampled_from(["cpu", "gpu"]),
    required_coverage=st.floats(0.5, 1),
    counting=st.sampled_from(["best", "latest"]),
)


def test_a_competition_is_exported_with_its_pictures_and_its_sources(
    ready: Competition, organizer: User
) -> None:
    files = exported("new", organizer)
    assert {name.split("/")[0] for name in files} == {FILE, "data"}
    assert {"data/pairs.json", "data/credits.md"} < set(files)
    assert sum(name.startswith("data/images/") for name in files) == 6
    assert 'slug = "phase-0"' in files[FILE].decode()
    assert exported("new", organizer) == files


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(basics=BASICS, limits=LIMITS, planned=phases())
def test_what_is_imported_is_exported_the_same(
    basics: Basics, limits: Limits, planned: tuple[PhaseSection, ...], ready: Competition, organizer: User
) -> None:
    known = competition_file("new", organizer)
    file = CompetitionFile(
        version=1, competition=basics, task=known.task, data=known.data, limits=limits, phases=planned
    )
    files = exported("new", organizer) | {FILE: write_file(file).encode()}
    with transaction.atomic():
        imported(files, organizer)
        assert competition_file("copy", organizer) == file
        assert exported("copy", organizer) == files
        assert check_file(content=files[FILE], user=organizer).changes == ()
        transaction.set_rollback(True)


def test_an_instance_that_never_saw_the_pictures_makes_the_same_dataset(
    ready: Competition, organizer: User, stranger: User
) -> None:
    files = exported("new", organizer)
    for model in (Phase, Competition):
        model.objects.all().delete()  # type: ignore[attr-defined]
    version = DatasetVersion.objects.get()
    digest, credits = version.digest, version.credits
    version.pairs.all().delete()
    version.delete()
    imported(files, stranger)
    made = DatasetVersion.objects.get()
    assert (made.digest, made.credits) == (digest, credits)
    assert exported("new", stranger) == files
    assert Phase.objects.count() == 2


def test_a_file_alone_begins_a_competition_and_later_files_complete_it(organizer: User) -> None:
    begun = {FILE: b'schema = 1\n[competition]\nslug = "bare"\ntitle = "Bare"\n'}
    imported(begun, organizer)
    text = begun[FILE] + b"[limits]\nmemory_mb = 512\n"
    imported({FILE: text}, organizer)
    assert competition_file("bare", organizer).limits == Limits(memory_mb=512)
    imported(begun, organizer)
    assert competition_file("bare", organizer).limits == Limits(memory_mb=512)


def test_an_import_changes_what_the_file_says_and_no_more(ready: Competition, organizer: User) -> None:
    files = edited(
        exported("new", organizer), ("memory_mb = 512", "memory_mb = 1024"), ('"phase-1"', '"final"')
    )
    told = check_file(content=files[FILE], user=organizer)
    assert [(one.field, one.before, one.after, one.freedom) for one in told.changes] == [
        ("limits.memory_mb", "512", "1024", ""),
        ("phases[2].slug", "phase-1", "final", ""),
    ]
    before = list(Phase.objects.order_by("opens_at").values_list("pk", flat=True))
    imported({FILE: files[FILE]}, organizer)
    assert list(Phase.objects.order_by("opens_at").values_list("pk", "slug", "memory_mb")) == [
        (before[0], "phase-0", 1024),
        (before[1], "final", 1024),
    ]


def test_phases_can_change_addresses_with_each_other_before_publishing(
    ready: Competition, organizer: User
) -> None:
    files = edited(
        exported("new", organizer), ('"phase-0"', '"x"'), ('"phase-1"', '"phase-0"'), ('"x"', '"phase-1"')
    )
    imported(files, organizer)
    assert [phase.slug for phase in Phase.objects.order_by("opens_at")] == ["phase-1", "phase-0"]


def test_what_is_locked_after_publishing_is_told_and_nothing_is_changed(
    ready: Competition, organizer: User
) -> None:
    publishing.publish_draft(slug="new", user=organizer, reason="no worker is running today")
    digest = DatasetVersion.objects.get().digest
    files = edited(
        exported("new", organizer),
        ("memory_mb = 512", "memory_mb = 1024"),
        ('"phase-1"', '"final"'),
        (digest, "0" * 64),
    )
    told = {one.field: one.freedom for one in check_file(content=files[FILE], user=organizer).changes}
    assert told == {"data.digest": "locked", "limits.memory_mb": "told", "phases[2].slug": "locked"}
    error = refusal(lambda: imported(files, organizer))
    assert isinstance(error, LockedSince)
    assert set(error.fields) == {"data.digest", "phases[2].slug"}
    assert set(Phase.objects.values_list("memory_mb", flat=True)) == {512}
    imported(edited(exported("new", organizer), ("memory_mb = 512", "memory_mb = 1024")), organizer)
    assert set(Phase.objects.values_list("memory_mb", flat=True)) == {1024}


@pytest.mark.parametrize(
    ("old", "new", "field", "told"),
    [
        ('"sts-demo-2"', '"sts-9"', "task.suite", "There is no metric suite 'sts-9'"),
        ("memory_mb = 512", "memory_mb = 51", "limits.memory_mb", "expected at least 256, found 51"),
        ("[limits]", "[limit]", "limit", "this field is not known here"),
        ('digest = "', 'digest = "0" # "', "task.digest", "expected a SHA-256 digest"),
        (
            "runs_total = 100",
            "runs_total = 3",
            "limits.runs_total",
            "More runs a day than in the whole phase",
        ),
        ("2031-05-06T00:00:00Z", "2031-05-07T00:00:00Z", "phases[2].opens_at", "Two phases overlap"),
        ('"phase-1"', '"phase-0"', "phases[2].slug", "expected an address of its own"),
    ],
)
def test_a_wrong_field_is_told_with_its_line(
    ready: Competition, organizer: User, old: str, new: str, field: str, told: str
) -> None:
    files = edited(exported("new", organizer), (old, new))
    error = refusal(lambda: imported(files, organizer))
    assert isinstance(error, InvalidFile)
    line = line_of(files[FILE].decode(), field)
    assert error.fields[field].startswith(f"line {line}: ")
    assert told in error.fields[field]


def test_a_file_for_an_address_that_is_taken_is_refused(
    ready: Competition, organizer: User, stranger: User
) -> None:
    files = exported("new", organizer)
    error = refusal(lambda: imported(files, stranger))
    assert isinstance(error, InvalidFile)
    assert "taken" in error.fields["competition.slug"]
    assert isinstance(refusal(lambda: exported("new", stranger)), NotFound)


def test_nothing_stays_of_an_import_that_is_refused_late(ready: Competition, organizer: User) -> None:
    files = edited(exported("new", organizer), ('slug = "new"', 'slug = "copy"'))
    overlapping = edited(files, ("2031-05-06T00:00:00Z", "2031-05-07T00:00:00Z"))
    other = edited(files, (DatasetVersion.objects.get().digest, "0" * 64))
    lost = {name: data for name, data in files.items() if not name.startswith("data/images/")}
    for wrong in (overlapping, other, lost):
        refusal(lambda wrong=wrong: imported(wrong, organizer))
        assert Competition.objects.count() == 1
    assert isinstance(refusal(lambda: imported(other, organizer)), InvalidDataset)
    assert isinstance(refusal(lambda: imported(lost, organizer)), InvalidDataset)


def test_files_of_no_use_and_pictures_without_their_section_are_refused_by_name(
    ready: Competition, organizer: User
) -> None:
    files = edited(exported("new", organizer), ('slug = "new"', 'slug = "copy"'))
    assert "notes.txt" in refusal(lambda: imported(files | {"notes.txt": b"x"}, organizer)).message
    digest = DatasetVersion.objects.get().digest
    bare = edited(files, (f'[data]\nfolder = "data"\ndigest = "{digest}"\n', ""))
    assert "data" in refusal(lambda: imported(bare, organizer)).fields
    assert isinstance(refusal(lambda: imported({"a.txt": b"x"}, organizer)), InvalidFile)
    junk = BytesIO(b"no zip")
    assert isinstance(refusal(lambda: import_zip(user=organizer, content=junk, size=6)), InvalidFile)


def test_a_competition_of_the_operators_command_is_exported_and_imported_elsewhere(
    phase: Phase, competition: Competition, organizer: User
) -> None:
    files = exported(competition.slug, organizer)
    assert f'slug = "{phase.slug}"' in files[FILE].decode()
    bare = f'schema = 1\n[competition]\nslug = "{competition.slug}"\ntitle = "Other"\n'.encode()
    assert isinstance(refusal(lambda: check_file(content=bare, user=organizer)), IllegalTransition)


def test_times_come_in_utc(ready: Competition, organizer: User) -> None:
    planned = competition_file("new", organizer).phases or ()
    assert {phase.opens_at.tzinfo for phase in planned} == {UTC}
    assert planned[0].opens_at == datetime(2031, 5, 1, tzinfo=UTC)


def test_every_zip_that_is_written_is_a_plain_one(ready: Competition, organizer: User) -> None:
    target = BytesIO()
    write_zip(slug="new", user=organizer, target=target)
    with zipfile.ZipFile(target) as packed:
        assert packed.testzip() is None
        assert {info.date_time[0] for info in packed.infolist()} == {1980}


def test_the_operators_command_exports_compares_and_imports(
    ready: Competition, organizer: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed = tmp_path / "new.zip"
    call_command("competition_file", "export", "new", "--out", str(packed), "--by", "organizer")
    folder = tmp_path / "new"
    with zipfile.ZipFile(packed) as files:
        files.extractall(folder)
    file = folder / FILE
    file.write_text(
        file.read_text(encoding="utf-8").replace("memory_mb = 512", "memory_mb = 1024"), encoding="utf-8"
    )
    call_command("competition_file", "diff", str(folder), "--by", "organizer")
    assert "limits.memory_mb: 512 -> 1024" in capsys.readouterr().out
    assert set(Phase.objects.values_list("memory_mb", flat=True)) == {512}
    call_command("competition_file", "import", str(folder), "--by", "organizer")
    assert set(Phase.objects.values_list("memory_mb", flat=True)) == {1024}
    call_command("competition_file", "import", str(packed), "--by", "organizer")
    assert set(Phase.objects.values_list("memory_mb", flat=True)) == {512}
    for wrong in (("diff", str(tmp_path)), ("import", str(tmp_path / "no.zip")), ("import", str(tmp_path))):
        with pytest.raises(CommandError):
            call_command("competition_file", *wrong, "--by", "organizer")
    with pytest.raises(CommandError, match="NOT_FOUND"):
        call_command("competition_file", "export", "new", "--out", str(tmp_path / "x.zip"), "--by", "nobody")


@pytest.mark.parametrize("suite", suite_ids())
def test_there_is_an_example_for_every_suite_and_it_is_taken(suite: str, organizer: User) -> None:
    found = {
        path: file
        for path in sorted(EXAMPLES.glob("*/competition.toml"))
        if (file := read_file(path.read_bytes())).task and file.task.suite == suite
    }
    assert found
    for path, file in found.items():
        assert file.limits
        assert file.phases
        assert path.parent.name == file.competition.slug
        alone = write_file(file.model_copy(update={"data": None})).encode()
        imported({FILE: alone}, organizer)
        assert competition_file(file.competition.slug, organizer).phases == file.phases
