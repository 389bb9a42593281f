"""The suite files that ship: signed, computable, unchanged, never overwritten."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.errors import InvalidSuite
from evaluation.signatures import new_key_pair, open_signed, sign_suite
from evaluation.spec import SUITES_DIR, load_suite, parse_suite, read_suite, suite_ids
from evaluation.suite_files import (
    SHIPPED,
    audit_suite,
    check_suite,
    check_suite_files,
    official_suite,
    write_suite,
)

PRIVATE, PUBLIC = new_key_pair()


def test_the_shipped_suites_are_signed_and_can_be_computed() -> None:
    assert {suite.id for suite in check_suite_files()} == {define().id for define in SHIPPED}


def test_a_published_suite_keeps_its_digest() -> None:
    digests = {suite_id: load_suite(suite_id).digest[:12] for suite_id in suite_ids()}
    assert digests == {
        "sts-1": "638ebcb834a8",
        "sts-512-1": "da415de27368",
        "sts-demo-1": "11a191e433bd",
        "sts-demo-2": "075a3ca7aecf",
    }


def test_a_suite_file_is_written_once(tmp_path: Path) -> None:
    path = write_suite(audit_suite(), PRIVATE, tmp_path)
    assert read_suite(path, [PUBLIC]) == audit_suite()
    with pytest.raises(InvalidSuite, match="exists"):
        write_suite(replace(audit_suite(), style_weight=0.6), PRIVATE, tmp_path)


def test_a_signed_suite_survives_json_with_all_its_fields() -> None:
    suite = replace(official_suite(), loss_weights=(2.0, 3.0, 4.0))
    assert parse_suite(open_signed(sign_suite(suite.to_json(), PRIVATE), [PUBLIC])) == suite


@pytest.mark.parametrize("field", ["style_weight", "size", "title"])
def test_a_changed_suite_is_noticed(tmp_path: Path, field: str) -> None:
    fields = json.loads((SUITES_DIR / "sts-1.json").read_text())
    fields["suite"][field] = 0.5001 if field == "style_weight" else 512 if field == "size" else "Other"
    (tmp_path / "sts-1.json").write_text(json.dumps(fields))
    with pytest.raises(InvalidSuite, match=r"sts-1\.json: .* changed after it was signed"):
        read_suite(tmp_path / "sts-1.json", [PUBLIC, *_trusted()])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"suite": {}, "signature": "?"}', '{"suite": 1}'])
def test_what_is_no_signed_suite_is_refused(text: str) -> None:
    with pytest.raises(InvalidSuite):
        open_signed(text, _trusted())


def test_only_keys_that_are_trusted_and_readable_count() -> None:
    text = sign_suite(audit_suite().to_json(), PRIVATE)
    with pytest.raises(InvalidSuite, match="unknown key"):
        open_signed(text, _trusted())
    with pytest.raises(InvalidSuite, match="cannot be read"):
        open_signed(text, [b"no key"])
    with pytest.raises(InvalidSuite, match="cannot be read"):
        sign_suite("{}", b"no key")


def test_suites_that_cannot_be_computed_are_refused() -> None:
    for broken in (
        replace(audit_suite(), backbone_digest="0" * 64),
        replace(audit_suite(), content_parts=()),
        replace(audit_suite(), style_weight=1.5),
        replace(audit_suite(), style_parts=("beauty",)),
        replace(audit_suite(), jitters=("flip",)),
        replace(audit_suite(), jitters=("identity", "twist")),
        replace(audit_suite(), content_parts=("lpips",)),
        replace(official_suite(), networks={}),
    ):
        with pytest.raises(InvalidSuite):
            check_suite(broken)


def _trusted() -> list[bytes]:
    return [path.read_bytes() for path in (SUITES_DIR / "keys").glob("*.pem")]
