"""A large file sent from the submit page: in parts, over a line that breaks, and on after the page was left."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from competitions.parts import PART_BYTES
from evaluation.archive import pack_archive
from tests.browser.window import Window
from tests.conftest import IDENTITY, manifest_of

SUBMIT = "/c/small/submit/"
NOTE = "Twice as wide."


def large_archive(path: Path) -> Path:
    """Pack an archive of two parts."""
    noise = save({"noise": np.random.default_rng(5).standard_normal(PART_BYTES // 4).astype(np.float32)})
    listed = {"weights": ["noise.safetensors"], "sha256": {"noise.safetensors": sha256(noise).hexdigest()}}
    manifest = manifest_of(path.stem) | listed
    files = {"model.py": IDENTITY.encode(), "noise.safetensors": noise}
    pack_archive({"manifest.json": json.dumps(manifest).encode(), **files}, path)
    return path


def hand_in(window: Window, archive: Path) -> None:
    window.page.get_by_label("Archive").set_input_files(archive)
    window.page.get_by_label("Note").fill(NOTE)
    window.page.get_by_role("main").get_by_role("button", name="Submit", exact=True).click()


@pytest.fixture
def window(visitor: Callable[[str, str], Window]) -> Window:
    """A window of somebody who may hand in."""
    found = visitor("en", "rosalba")
    found.go(SUBMIT)
    return found


def test_what_arrived_before_the_line_broke_is_not_sent_again(window: Window, tmp_path: Path) -> None:
    archive, second = large_archive(tmp_path / "heavy.zip"), f"**/parts/{PART_BYTES}/"
    window.page.route(second, lambda route: route.abort())
    hand_in(window, archive)
    window.page.get_by_text("The line is broken.").wait_for()
    window.look_over()
    window.page.unroute(second)
    window.faults = [fault for fault in window.faults if "ERR_FAILED" not in fault]
    window.go(SUBMIT)  # and nothing is remembered but the parts that arrived
    sent: list[str] = []
    window.page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    hand_in(window, archive)
    window.page.wait_for_url("**/s/*/")
    window.settle()
    assert [address.rsplit("/", 2)[1] for address in sent] == [str(PART_BYTES)]
    assert window.page.get_by_text(NOTE).is_visible()
    window.check()


def test_a_refused_manifest_costs_no_byte_and_nothing_that_was_typed(window: Window, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.zip"
    pack_archive({"manifest.json": b'{"schema": 1, "name": "wrong"}'}, wrong)
    sent: list[str] = []
    window.page.on("request", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    with window.refusing(422):
        hand_in(window, wrong)
        problem = window.page.get_by_role("alert").filter(has_text="INVALID_BUNDLE")
        problem.wait_for()
        assert 'the key "version" is missing' in problem.inner_text()
        assert window.page.get_by_label("Note").input_value() == NOTE
        assert sent == []
        window.look_over()
    window.faults = [fault for fault in window.faults if "fetch 422" not in fault]
    window.check()
