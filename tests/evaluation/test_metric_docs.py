"""docs/metrics.md: its generated parts are current, complete, and made of the docstrings."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.images import read_rgb
from evaluation.metric_docs import (
    FURTHER,
    PAGE,
    current_page,
    docstring_text,
    main,
    metrics_text,
    replace_part,
    suites_text,
)
from evaluation.metric_examples import OUTPUTS, SIDE, draw_strip
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.pairs import read_pairs
from evaluation.spec import suite_ids

DOC = """Compute ``a_ij`` of
    two things.

    Args:
        first: floating, (N, C),
            finite.
        second, third: the same.

    Returns:
        (N,), lower is better.

    Raises:
        InvalidTensor: wrong shape.

    Source: Somebody 2001. Deviation: none.
    """


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert current_page(text) == text, "run `python -m evaluation.metric_docs --write`"


def test_every_picture_of_the_page_is_there_and_all_are_small() -> None:
    named = re.findall(r"!\[[^\]]+\]\((metrics/[^)]+)\)", PAGE.read_text(encoding="utf-8"))
    folder = PAGE.parent / "metrics"
    assert sorted(PAGE.parent / name for name in named) == sorted(folder.iterdir())
    assert 0 < sum(path.stat().st_size for path in folder.iterdir()) < 600_000


def test_every_metric_has_a_section_and_every_suite_a_row() -> None:
    text = metrics_text()
    for name, spec in METRIC_SPECS.items():
        assert text.count(f"### {spec.title} (`{name}`)\n") == 1
        assert spec.misses in text
    assert all(f"`{suite_id}`" in suites_text() for suite_id in suite_ids())
    assert all(f"{function.__module__}.{function.__qualname__}`: " in text for function in FURTHER)
    assert "``" not in text


def test_a_docstring_becomes_formula_lists_and_source() -> None:
    assert docstring_text(DOC).split("\n\n") == [
        "Compute `a_ij` of two things.",
        "**Arguments.**",
        "* `first`: floating, (N, C), finite.\n* `second, third`: the same.",
        "**Result.** (N,), lower is better.",
        "**Refuses.**",
        "* `InvalidTensor`: wrong shape.",
        "**Source.** Somebody 2001. Deviation: none.",
    ]


def test_one_part_of_a_page_is_replaced_and_nothing_else() -> None:
    page = "top\n<!-- begin a -->\nold\n<!-- end a -->\nbottom\n"
    changed = replace_part(page, "a", "new\n")
    assert changed == "top\n<!-- begin a -->\n\nnew\n\n<!-- end a -->\nbottom\n"
    assert replace_part(changed, "a", "new") == changed


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<!-- begin a -->\n",
        "<!-- end a -->\n<!-- begin a -->\n",
        "<!-- begin a -->\n<!-- begin a -->\n<!-- end a -->\n",
    ],
)
def test_a_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="begin a"):
        replace_part(page, "a", "text")


def test_check_notices_a_stale_page_that_write_mends(tmp_path: Path) -> None:
    page = tmp_path / "metrics.md"
    page.write_text(PAGE.read_text(encoding="utf-8").replace("### SSIM", "### Something", 1))
    arguments = ["--page", str(page)]
    with pytest.raises(SystemExit) as stale:
        main([*arguments, "--check"], standalone_mode=False)
    assert stale.value.code == 1
    main([*arguments, "--write"], standalone_mode=False)
    main([*arguments, "--check"], standalone_mode=False)
    assert page.read_text() == PAGE.read_text(encoding="utf-8")


def test_examples_are_drawn_side_by_side_in_order(dataset: Path, tmp_path: Path) -> None:
    pair = read_pairs(dataset)[0]
    draw_strip(pair, tmp_path / "strip.jpg")
    with Image.open(tmp_path / "strip.jpg") as image:
        strip = np.asarray(image)
    assert strip.shape == (SIDE, len(OUTPUTS) * (SIDE + 4) - 4, 3)
    for place, path in enumerate((pair.content, pair.style)):
        shown = strip[:, place * (SIDE + 4) :][:, :SIDE].reshape(-1, 3).mean(axis=0)
        np.testing.assert_allclose(shown, read_rgb(path).reshape(-1, 3).mean(axis=0), atol=3)
