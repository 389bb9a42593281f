"""competition.toml: what is written reads back the same, and every mistake is told with line and field."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.competition_files.changes import changes
from evaluation.competition_files.reading import InvalidCompetitionFile, problem_at, read_file
from evaluation.competition_files.schema import Basics, CompetitionFile, Data, Limits, Phase, Task
from evaluation.competition_files.writing import write_file

GOOD = """schema = 1
# A comment, and a section in a text that is none:
[competition]
slug = "waves"
title = "Waves"
description = '''
[limits]
memory_mb = 1
'''

[limits]
memory_mb = 512

[[phases]]
title = "First"
opens_at = 2031-05-01T00:00:00Z
closes_at = 2031-05-09T00:00:00Z

[[phases]]
title = "Second"
opens_at = 2031-05-09T00:00:00Z
closes_at = 2031-06-01T02:00:00+02:00
"""

SLUGS = st.from_regex(r"[A-Za-z0-9_-]{1,60}", fullmatch=True)
DIGESTS = st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
ANY = st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")
TEXTS = st.text(ANY, max_size=80) | st.text(st.sampled_from("\n\"\\\r\t [=#'"), max_size=30)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=ZONES)  # noqa: DTZ001


def titles(most: int) -> st.SearchStrategy[str]:
    return st.text(ANY, min_size=1, max_size=most)


FILES = st.builds(
    CompetitionFile,
    schema=st.just(1),
    competition=st.builds(
        Basics,
        slug=SLUGS,
        title=titles(120),
        title_zh=TEXTS,
        summary=TEXTS,
        summary_zh=TEXTS,
        description=TEXTS,
        description_zh=TEXTS,
        is_listed=st.booleans(),
    ),
    task=st.none() | st.builds(Task, suite=titles(80), digest=DIGESTS),
    data=st.none() | st.builds(Data, digest=DIGESTS),
    limits=st.none()
    | st.builds(
        Limits,
        runs_per_day=st.integers(1, 2**31 - 1),
        run_seconds=st.integers(1, 18000),
        required_coverage=st.floats(0.5, 1),
        device=st.sampled_from(["cpu", "gpu"]),
        counting=st.sampled_from(["best", "latest"]),
    ),
    phases=st.none()
    | st.lists(
        st.builds(
            Phase,
            title=titles(120),
            opens_at=TIMES,
            closes_at=TIMES,
            slug=st.none() | SLUGS,
            finals_per_team=st.integers(0, 10),
        ),
        min_size=1,
        max_size=5,
    ).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(FILES)
def test_what_is_written_reads_back_the_same(file: CompetitionFile) -> None:
    text = write_file(file)
    read = read_file(text.encode())
    assert read == file
    assert write_file(read) == text
    assert changes(file, read) == ()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from(GOOD.splitlines()), max_size=12).map("\n".join))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    told = refusal_of(text.encode("utf-8", "surrogatepass"))
    assert all(problem.endswith(".") for problem in told.values())


def refusal_of(content: bytes) -> dict[str, str]:
    try:
        read_file(content)
    except InvalidCompetitionFile as error:
        return error.problems
    return {}


def problems(text: str) -> dict[str, str]:
    with pytest.raises(InvalidCompetitionFile) as caught:
        read_file(text.encode())
    return caught.value.problems


@pytest.mark.parametrize(
    ("old", "new", "field", "told"),
    [
        ("memory_mb = 512", "memory_mb = 5", "limits.memory_mb", "line 12: expected at least 256, found 5."),
        ("memory_mb = 512", 'memory_mb = "5"', "limits.memory_mb", "line 12: expected a whole number, found '5'."),
        ("memory_mb = 512", "memory = 5", "limits.memory", "line 12: this field is not known here; expected one"),
        ('"waves"', '"wa ves"', "competition.slug", "line 4: expected letters, digits, - and _ only, found 'wa ves'."),
        ('"waves"', '"waves"\nsoon = true', "competition.soon", "line 5: this field is not known here; expected one"),
        ("[limits]\nmemory_mb = 512", "[limit]", "limit", "line 11: this field is not known here; expected one of"),
        ('title = "Second"', "", "phases[2].title", "line 19: this field is missing."),
        ('title = "Second"', 'title = ""', "phases[2].title", "line 20: expected a text that is not empty"),
        ("05-01T00:00:00Z", "05-01", "phases[1].opens_at", "line 16: expected a time"),
        ("00:00:00Z\n\n", "00:00:00\n\n", "phases[1].closes_at", "line 17: expected a time with its zone"),
        ("schema = 1", "schema = 2", "schema", "line 1: expected 1, found 2."),
        ("schema = 1", "schema =", "", "line 1, column 9: this is no TOML."),
        ('title = "Waves"', 'title = "W"\ntitle = "W"', "", "line 6, column 12: this is no TOML. Cannot overwrite"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_what_was_expected(
    old: str, new: str, field: str, told: str
) -> None:
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    assert found[field].startswith(told)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace('"waves"', "7").replace("512", "true").replace('"Second"', "7")
    assert list(problems(text)) == ["competition.slug", "limits.memory_mb", "phases[2].title"]


def test_a_text_that_is_not_utf8_or_too_long_or_too_deep_is_refused() -> None:
    for content in (b"a = '\xff'", b"#" * (2**21 + 1), b"a = " + b"[" * 100_000):
        with pytest.raises(InvalidCompetitionFile):
            read_file(content)


def test_a_field_that_is_wrong_for_other_reasons_is_told_with_its_line() -> None:
    error = problem_at(GOOD.encode(), ("phases", 1, "opens_at"), "two phases overlap.")
    assert error.problems == {"phases[2].opens_at": "line 21: two phases overlap."}


def test_lines_of_a_file_from_windows_are_those_that_its_author_sees() -> None:
    assert problems(GOOD.replace("512", "5").replace("\n", "\r\n"))["limits.memory_mb"].startswith("line 12")


def test_what_would_change_is_told_field_by_field_and_what_is_left_out_stays() -> None:
    before = read_file(GOOD.encode())
    edited = GOOD.replace("memory_mb = 512", "memory_mb = 1024").replace("05-09T00:00:00Z", "05-08T00:00:00Z")
    told = [(one.field, one.before, one.after) for one in changes(before, read_file(edited.encode()))]
    times = ("2031-05-09T00:00:00+00:00", "2031-05-08T00:00:00+00:00")
    assert told == [
        ("limits.memory_mb", "512", "1024"),
        ("phases[1].closes_at", *times),
        ("phases[2].opens_at", *times),
    ]
    bare = CompetitionFile(version=1, competition=before.competition)
    assert changes(before, bare) == ()
    assert [one.field for one in changes(bare, before)][:2] == ["limits.runs_per_day", "limits.runs_total"]
    shorter = before.model_copy(update={"phases": (before.phases or ())[:1]})
    assert ("phases[2].title", "Second", None) in {
        (o.field, o.before, o.after) for o in changes(before, shorter)
    }


def test_the_same_moment_in_another_zone_is_no_change() -> None:
    before = read_file(GOOD.encode())
    moved = GOOD.replace("2031-06-01T02:00:00+02:00", "2031-06-01T00:00:00Z")
    assert changes(before, read_file(moved.encode())) == ()
    assert (before.phases or ())[1].closes_at.astimezone(UTC).hour == 0
