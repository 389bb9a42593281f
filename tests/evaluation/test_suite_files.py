"""The suite files that ship: computable, unchanged, never overwritten."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.errors import InvalidSuite
from evaluation.spec import load_suite, parse_suite
from evaluation.suite_files import check_suite, check_suite_files, demo_suite, write_suite

DEMO_DIGEST = "11a191e433bdedb9de7fcf101289950da223bee6ddef550e8d0641eac68817d5"


def test_the_shipped_suites_can_be_computed() -> None:
    assert "sts-demo-1" in [suite.id for suite in check_suite_files()]


def test_the_demo_suite_is_the_published_one() -> None:
    assert load_suite("sts-demo-1") == demo_suite()
    assert demo_suite().digest == DEMO_DIGEST
    assert demo_suite().is_demo


def test_a_suite_file_is_written_once(tmp_path: Path) -> None:
    path = write_suite(demo_suite(), tmp_path)
    assert parse_suite(path.read_text()) == demo_suite()
    assert write_suite(demo_suite(), tmp_path) == path
    with pytest.raises(InvalidSuite, match="other content"):
        write_suite(replace(demo_suite(), style_weight=0.6), tmp_path)


def test_suites_that_cannot_be_computed_are_refused() -> None:
    for broken in (
        replace(demo_suite(), backbone_digest="0" * 64),
        replace(demo_suite(), content_parts=()),
        replace(demo_suite(), style_weight=1.5),
        replace(demo_suite(), style_parts=("beauty",)),
    ):
        with pytest.raises(InvalidSuite):
            check_suite(broken)
