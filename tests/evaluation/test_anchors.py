"""Anchors: the rule for contents, degenerate pairs, the JSON form."""

import pytest

from evaluation.anchors import (
    PairAnchors,
    anchors_from_json,
    anchors_to_json,
    check_anchors,
    content_anchor,
    weak_pairs,
)
from evaluation.errors import InvalidPairs


def table(*gram: float, perceptual: float = 2.0) -> dict[str, PairAnchors]:
    return {f"p{k}": PairAnchors({"perceptual": perceptual}, {"gram": value}) for k, value in enumerate(gram)}


def test_the_content_anchor_is_the_smaller_of_style_copy_and_median_other_content() -> None:
    assert content_anchor(5.0, [1.0, 2.0, 9.0]) == 2.0
    assert content_anchor(1.5, [1.0, 2.0, 9.0]) == 1.5
    assert content_anchor(5.0, [1.0, 4.0]) == 2.5
    assert content_anchor(5.0, []) == 5.0


@pytest.mark.parametrize("weak", [0.0, 1e-12, 5e-5, float("nan")])
def test_a_pair_already_in_its_style_is_named(weak: float) -> None:
    with pytest.raises(InvalidPairs, match=r"style anchor gram is almost 0 for p1\."):
        check_anchors(table(1.0, weak, 1.0))


def test_a_content_image_that_occurs_twice_is_named() -> None:
    with pytest.raises(InvalidPairs, match="content anchor perceptual"):
        check_anchors(table(1.0, perceptual=0.0))


def test_sound_anchors_pass() -> None:
    check_anchors(table(1.0, 0.01, 300.0))
    check_anchors({})


def test_weak_pairs_are_the_lowest_share_of_any_style_metric() -> None:
    anchors = table(*(1.0 + k for k in range(40)))
    assert weak_pairs(anchors) == ("p0", "p1")
    assert weak_pairs(table(1.0, 2.0)) == ()
    assert weak_pairs({}) == ()


def test_json_keeps_every_digit() -> None:
    anchors = table(0.1 + 0.2, 1e-300, 1 / 3)
    assert anchors_from_json(anchors_to_json(anchors)) == anchors


@pytest.mark.parametrize("text", ["", "[]", '{"p": {}}', '{"p": {"content": {}, "styles": {}}}'])
def test_foreign_json_is_an_error_that_the_cache_catches(text: str) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        anchors_from_json(text)
