"""The recorded gaming table: it is that of today's suites, dataset and entries, and it says who wins."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from evaluation.demo.dataset import write_demo_dataset
from evaluation.gaming.__main__ import cli
from evaluation.gaming.entries import Effort, Kind, shipped_entries
from evaluation.gaming.flag import Flag
from evaluation.gaming.record import RECORD_FILE, Record, describe, keep_contents, read_record
from evaluation.gaming.table import Row, unflagged_winners
from evaluation.pairs import dataset_digest, read_pairs
from evaluation.spec import load_suite

FLAG = Flag("QUILT", 0.5, 0.08, True, "Half of it was found.")
RAISED, QUIET = (FLAG,), (replace(FLAG, is_raised=False),)


def row(name: str, kind: Kind, headline: float, flags: tuple[Flag, ...] = QUIET) -> Row:
    """Make a row; only what a test says matters."""
    return Row(name, kind, headline, headline - 0.1, headline + 0.1, 0.5, 0.4, 0.2, flags)


def record(*rows: Row) -> Record:
    """Make a record of some rows beside two real transfers, at 20 and 40."""
    real = (row("weak", Kind.REAL, 0.2), row("strong", Kind.REAL, 0.4))
    return Record(
        suite_id="sts-a",
        suite_digest="a" * 64,
        audit_id="sts-b",
        audit_digest="b" * 64,
        dataset_digest="d" * 64,
        n=24,
        n_styles=4,
        n_contents=6,
        contents=6,
        effort=0.5,
        rows=(*rows, *real),
    )


def test_what_is_written_is_read_again() -> None:
    made = record(row("patchwork", Kind.GAMING, 0.35, RAISED))
    assert Record.from_json(made.to_json()) == made
    assert json.loads(made.to_json())["unflagged_winners"] == []


def test_the_command_names_all_that_the_table_depends_on() -> None:
    assert record().command == (
        "python -m evaluation.gaming table --pairs DIR --suite sts-a --audit sts-b --effort 0.5 --contents 6 --json"
    )
    assert "--contents" not in replace(record(), contents=None).command


def test_the_page_says_who_beats_the_median_of_the_real_transfers() -> None:
    below = row("dull", Kind.GAMING, 0.29)
    caught, free = row("caught", Kind.GAMING, 0.31, RAISED), row("free", Kind.COLOR, 0.32)
    text = describe(record(below, caught))
    assert "median of the real transfers is 30.0. Above it, and no real transfers: `caught`." in text
    assert "without a flag: none." in text
    assert "`caught`, `free`. Of these without a flag: `free`." in describe(record(below, caught, free))


def test_the_page_says_which_honest_entries_carry_a_flag_and_why() -> None:
    text = describe(record(row("caught", Kind.GAMING, 0.3, RAISED), row("tinted", Kind.COLOR, 0.3, RAISED)))
    assert "* `tinted`, QUILT: Half of it was found." in text
    assert "* `caught`" not in text
    assert text.endswith("Half of it was found.")
    assert describe(record()).endswith("None.")


def test_the_recorded_table_is_that_of_todays_suites_entries_and_demo_dataset(tmp_path: Path) -> None:
    recorded = read_record()
    for suite_id, digest in (
        (recorded.suite_id, recorded.suite_digest),
        (recorded.audit_id, recorded.audit_digest),
    ):
        assert load_suite(suite_id).digest == digest
    expected = {(entry.name, entry.kind) for entry in shipped_entries(Effort().scaled(recorded.effort))}
    assert {(found.name, found.kind) for found in recorded.rows} == expected
    write_demo_dataset(tmp_path)
    assert recorded.dataset_digest == dataset_digest(keep_contents(read_pairs(tmp_path), recorded.contents))


def test_no_attempt_wins_without_a_flag_in_the_recorded_table() -> None:
    recorded = read_record()
    assert unflagged_winners(recorded.rows) == ()
    assert recorded.to_json() == RECORD_FILE.read_text(encoding="utf-8").rstrip()


@pytest.mark.long
@pytest.mark.timeout(4 * 60 * 60)
def test_the_command_makes_the_recorded_table_again(tmp_path: Path) -> None:
    recorded = read_record()
    write_demo_dataset(tmp_path)
    assert recorded.command.startswith("python -m evaluation.gaming table --pairs DIR ")
    arguments = recorded.command.replace("DIR", str(tmp_path)).split()[3:]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    made = Record.from_json(result.stdout)
    assert replace(made, rows=()) == replace(recorded, rows=())
    found, expected = ({each.name: each for each in table.rows} for table in (made, recorded))
    for name, before in expected.items():
        now = found[name]
        # optimized pictures differ between machines in their last bits, which many steps enlarge
        for value in ("headline", "content", "style", "audit"):
            assert getattr(now, value) == pytest.approx(getattr(before, value), abs=0.02), (name, value)
