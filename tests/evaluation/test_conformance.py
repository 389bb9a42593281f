"""Conformance: pictures of the same bits everywhere, a limit that notices, and files that belong together."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.conformance import (
    EXPECTED_FILE,
    LIMIT,
    compare_values,
    read_expected,
    run_conformance,
    score_vectors,
    write_expected,
)
from evaluation.conformance_pictures import (
    as_picture,
    content_pictures,
    draw_vectors,
    pictures_digest,
    style_pictures,
)
from evaluation.errors import InvalidSuite
from evaluation.spec import load_suite
from tests.evaluation.command_line import call, small_suite


def test_the_pictures_are_drawn_with_integers_alone_and_never_change() -> None:
    for picture in (content_pictures(256) | style_pictures(256)).values():
        assert picture.dtype == np.int64
        assert as_picture(picture).shape == (256, 256, 3)
    assert pictures_digest(draw_vectors(256)).startswith("7669070b670efc4a")


def test_the_vectors_cover_what_machines_could_disagree_on() -> None:
    contents, vectors = content_pictures(256), draw_vectors(256)

    def roughness(image: np.ndarray) -> float:
        return float(np.abs(np.diff(image.astype(int), axis=1)).mean())

    assert roughness(contents["smooth"]) < 8 < 16 < roughness(contents["noisy"])
    assert contents["flat"].std() < 6
    assert set(np.unique(contents["contrast"])) == {0, 255}
    spread = np.ptp(vectors["saturated"].output.astype(int), axis=2)
    assert (spread == 255).mean() > 0.9
    tiny = np.abs(vectors["tiny"].output.astype(int) - contents["noisy"])
    assert 0 < tiny.max() <= 2
    assert {vector.content for vector in vectors.values()} == contents.keys()


def test_an_impossible_pixel_is_noticed() -> None:
    for value in (-1, 256):
        with pytest.raises(ValueError, match="pixels run from"):
            as_picture(np.array([[[0, 255, value]]]))


def test_every_shipped_demo_suite_is_met_by_this_machine() -> None:
    shipped = json.loads(EXPECTED_FILE.read_text())
    assert {"sts-demo-1", "sts-demo-2"} <= shipped.keys()
    for suite_id in (name for name in shipped if load_suite(name).is_demo):
        answer = call("conformance", "--suite", suite_id, "--json")
        fields = json.loads(answer.out)
        assert (answer.code, fields["agrees"], len(fields["differences"])) == (0, True, 8), fields
        assert fields["differences"][fields["worst"]] == max(fields["differences"].values())


def test_no_vector_stands_at_an_end_where_differences_are_clipped() -> None:
    for entry in json.loads(EXPECTED_FILE.read_text()).values():
        for values in entry["vectors"].values():
            assert all(0 < value < 1 for value in values.values())


def test_a_difference_above_the_limit_is_found_where_it_is(tmp_path: Path) -> None:
    suite, file = small_suite(), tmp_path / "expected.json"
    values = score_vectors(suite)
    write_expected(suite, values, file)
    expected = read_expected(suite, file)
    assert compare_values(suite, expected, values, "cpu").worst[1] == 0
    for step, agrees in ((0.9 * LIMIT, True), (1.1 * LIMIT, False)):
        moved = {name: dict(found) for name, found in values.items()}
        moved["flat"]["headline"] += step
        found = compare_values(suite, expected, moved, "cpu")
        assert (found.worst[0], found.agrees) == ("flat", agrees)


def test_expected_values_of_another_suite_or_version_are_not_used(tmp_path: Path) -> None:
    suite, file = small_suite(), tmp_path / "expected.json"
    with pytest.raises(InvalidSuite, match="no expected values for sts-test-1"):
        read_expected(suite, file)
    write_expected(suite, {}, file)
    write_expected(replace(suite, version=2), {}, file)
    assert json.loads(file.read_text()).keys() == {"sts-test-1", "sts-test-2"}
    with pytest.raises(InvalidSuite, match="another version"):
        read_expected(replace(suite, style_weight=0.6), file)
    entry = json.loads(file.read_text())
    entry["sts-test-1"]["pictures"] = "0" * 64
    file.write_text(json.dumps(entry))
    with pytest.raises(InvalidSuite, match="drawn otherwise"):
        read_expected(suite, file)


def test_a_machine_that_disagrees_ends_with_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = load_suite("sts-demo-1")
    wrong = {name: dict(values) for name, values in read_expected(suite).items()}
    wrong["noise"]["headline"] += 0.001
    write_expected(suite, wrong, tmp_path / "wrong.json")
    assert run_conformance("sts-demo-1", file=tmp_path / "wrong.json") == 1
    assert "DISAGREES: largest difference of H is 1.0e-03, at 'noise'" in capsys.readouterr().out
