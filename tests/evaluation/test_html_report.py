"""The HTML page: what it shows, that it asks nobody for anything, and that it trusts no text."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from evaluation.charts import BINS, MOST_DOTS, SIDE, plot_histogram, plot_scatter
from evaluation.html_report import Extras, render_html
from evaluation.images import write_png
from evaluation.pairs import Pair, read_pairs
from evaluation.problems import Problem
from evaluation.report import PairScore, Report, ReportRow
from evaluation.report_pairs import pairs_of_report
from evaluation.report_pictures import picture_examples, worst_and_best
from tests.evaluation.command_line import call, make_report, sign_small_suite, small_suite

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Collects tags and text, and fails where tags are not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def render(report: Report, **extras: object) -> Page:
    return Page(render_html(report, small_suite(), Extras(name="outputs", **extras)))


def test_a_page_needs_nothing_from_outside() -> None:
    report = make_report()
    html = render_html(report, small_suite(), Extras(name="outputs"))
    page = Page(html)
    assert not {"script", "link", "iframe", "object", "a"} & {tag for tag, _ in page.tags}
    assert not re.findall(r"(?:https?:)?//|@import|url\(", html)
    assert not [
        attributes for _, attributes in page.tags if {"style", "onclick", "onload"} & attributes.keys()
    ]
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    (css,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert f"'sha256-{b64encode(sha256(css.encode()).digest()).decode()}'" in policy


def test_numbers_are_shown_with_interval_count_direction_and_id() -> None:
    report = make_report()
    kid = ReportRow("kid", "kid@net:0123", -0.001, None, None, 24, "hidden")
    text = render(replace(report, rows=(*report.rows, kid))).text
    headline, gram = report.rows[0], report.rows[3]
    assert f"{100 * headline.value:.1f}" in text
    assert headline.low is not None
    assert headline.high is not None
    assert f"{100 * headline.low:.1f} to {100 * headline.high:.1f}" in text
    assert f"{gram.value:.4g}" in text
    assert gram.id in text
    assert report.suite_digest in text
    assert report.dataset_digest in text
    assert report.backbone_digest in text
    assert "-0.001" in text
    assert "kid@net:0123" in text
    assert "Demo scores." in text


def test_text_from_files_is_escaped() -> None:
    bad = "<script>alert(1)</script>"
    report = make_report(invalid=("p000",))
    report = replace(report, labels=tuple(replace(label, culture=bad) for label in report.labels))
    page = render(report, problems=[Problem("X", f"{bad}.png", bad)], provenance={bad: bad})
    assert not page.all("script")
    assert page.text.count(bad) >= 5


def test_problems_and_invalid_pairs_are_named() -> None:
    problems = [Problem("MISSING_OUTPUT", f"q{number}.png", "not there") for number in range(205)]
    page = render(make_report(invalid=("p000", "p001")), problems=problems)
    assert "q0.png" in page.text
    assert "q204.png" not in page.text
    assert "And 5 more." in page.text
    assert "Not ranked." in page.text
    assert "2 of 48 pairs have no valid output" in page.text
    assert "None: every pair has one valid output" in render(make_report()).text


def test_thin_slices_have_a_reason_instead_of_an_interval() -> None:
    text = render(make_report()).text
    assert re.search(r"kind-0 \d+\.\d \d+\.\d to \d+\.\d 24 12", text)
    assert re.search(r"family-0 \d+\.\d 3 styles: too few 12 3", text)
    assert re.search(
        r"Between cultures that are large enough, culture-\d is \d+\.\d ahead of culture-\d", text
    )
    assert "No two cultures have enough pairs" in render(make_report(styles=4)).text


def test_a_report_without_a_valid_output_still_makes_a_page() -> None:
    report = make_report(contents=1, styles=2, invalid=("p000", "p001"))
    text = render(report).text
    assert "none" in text
    assert "2 of 2 pairs have no valid output" in text


def test_every_chart_and_picture_says_in_words_what_it_shows() -> None:
    page = render(make_report())
    for svg in page.all("svg"):
        assert svg["role"] == "img"
        assert svg["aria-labelledby"]
    assert "Content score against style score of 48 pairs" in page.text
    assert "Distribution of the trade-off score over 48 pairs" in page.text


def test_dots_stand_where_content_and_style_say() -> None:
    report = make_report()
    scatter = plot_scatter(report, 0.5)
    for dot, pair in zip(scatter.dots, report.pairs, strict=True):
        assert dot.x == pytest.approx(SIDE * pair.values["content"], abs=0.06)
        assert dot.y == pytest.approx(SIDE * (1 - pair.values["style"]), abs=0.06)
    assert sum(dot.is_hidden for dot in scatter.dots) == 24


@pytest.mark.parametrize("weight", [0.5, 0.7])
def test_contours_join_points_of_equal_headline(weight: float) -> None:
    for contour in plot_scatter(make_report(), weight).contours:
        points = [tuple(map(float, point.split())) for point in contour.path[1:].split("L")]
        for x, y in points:
            content, style = x / SIDE, 1 - y / SIDE
            assert content ** (1 - weight) * style**weight == pytest.approx(contour.level, abs=0.004)


def test_many_pairs_are_thinned_and_the_page_says_so() -> None:
    report = make_report(contents=40, styles=60)
    scatter = plot_scatter(report, 0.5)
    assert len(scatter.dots) == 800 <= MOST_DOTS
    html = render_html(report, small_suite(), Extras(name="outputs"))
    assert "(800 of 2400 drawn)" in " ".join(html.split())
    assert "First 1000 of 2400 pairs" in html
    assert len(html) < 1_000_000


def test_a_histogram_counts_every_value_once_with_both_ends() -> None:
    bars = plot_histogram([0.0, 0.0, 0.049, 0.05, 1.0])
    assert len(bars) == BINS
    assert [bar.count for bar in bars if bar.count] == [3, 1, 1]
    assert (bars[0].height, bars[1].height) == (1.0, 1 / 3)
    assert all(bar.height == 0 for bar in plot_histogram([]))


def test_worst_and_best_pairs_are_disjoint_and_ordered() -> None:
    report = make_report()
    worst, best = worst_and_best(report)
    ordered = sorted(pair.values["headline"] for pair in report.pairs)
    assert [pair.values["headline"] for pair in worst] == ordered[:4]
    assert [pair.values["headline"] for pair in best] == ordered[::-1][:4]
    few = replace(report, pairs=report.pairs[:3])
    worst, best = worst_and_best(few)
    assert (len(worst), len(best)) == (1, 2)
    assert not {pair.pair_id for pair in worst} & {pair.pair_id for pair in best}


def test_pictures_of_pure_noise_at_512_pixels_stay_small(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    for name in ("content.png", "style.png", "p000.png"):
        write_png(noise, tmp_path / name)
    base = pairs_of_report(make_report(contents=1, styles=1))[0]
    pair = Pair(**{**vars(base), "content": tmp_path / "content.png", "style": tmp_path / "style.png"})
    (example,) = picture_examples([PairScore("p000", {})], [pair], tmp_path)
    assert example.output.startswith("data:image/jpeg;base64,")
    assert 8 * (len(example.content) + len(example.output) + len(example.style)) < 1_500_000


def test_the_command_writes_one_page_with_pictures(dataset: Path, tmp_path: Path) -> None:
    suite, key = sign_small_suite(tmp_path)
    outputs = tmp_path / "my outputs"
    outputs.mkdir()
    for pair in read_pairs(dataset):
        (outputs / f"{pair.id}.png").write_bytes(pair.content.read_bytes())
    page_file = tmp_path / "page.html"
    answer = call("score", outputs, "--pairs", dataset, "--suite", suite, "--trust", key, "--html", page_file)
    assert (answer.code, answer.err) == (0, "")
    page = Page(page_file.read_text())
    images = page.all("img")
    assert len(images) == 3 * 6
    assert all(image["src"] and image["src"].startswith("data:image/jpeg;base64,") for image in images)
    assert all(image["alt"] for image in images)
    assert "my outputs" in page.text
    assert "pastiche-platform" in page.text
    assert str(tmp_path) not in page_file.read_text()
