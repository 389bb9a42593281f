"""What organizers may write: Markdown, and nothing that acts in a reader's browser."""

from html.parser import HTMLParser

import pytest

from frontend.templatetags.texts import rich_text


def test_markdown_is_set_with_headings_below_those_of_the_page() -> None:
    html = rich_text("# Rules\n\nUse **one** generator.\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n")
    assert "<h3>Rules</h3>" in html
    assert "<strong>one</strong>" in html
    assert "<td>1</td>" in html
    assert "style=" not in html


def test_headings_leave_no_level_out_wherever_they_begin() -> None:
    assert "<h3>A</h3>" in rich_text("## A")
    assert "<h4>B</h4>" in rich_text("## A\n\n### B")
    assert "<h4>A</h4>" in rich_text("# A", 4)


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "![x](https://example.org/tracker.png)",
        '<https://example.org/" onclick="alert(1)>',
    ],
)
def test_no_markup_of_the_organizers_own_reaches_the_page(attack: str) -> None:
    found: list[tuple[str, dict[str, str | None]]] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attrs: found.append((tag, dict(attrs)))  # type: ignore[method-assign]
    reader.feed(rich_text(attack))
    for tag, attributes in found:
        assert tag in ("p", "a")
        assert attributes.keys() <= {"href", "rel"}
        assert not str(attributes.get("href")).startswith("javascript")
