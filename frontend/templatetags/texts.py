"""Set organizers' texts, written as Markdown, without letting them add anything but text; show forms of others."""

import nh3
from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

register = template.Library()

# No raw HTML, no images: an organizer is trusted with words, not with what readers' browsers load.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block", "html_inline"])
)
# A second look at what comes out, by a library that knows nothing of Markdown.
_TAGS = {
    *("a", "blockquote", "br", "code", "em", "hr", "li", "ol", "p", "pre", "strong", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
    *(f"h{level}" for level in range(1, 7)),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}


@register.filter
def rich_text(text: str, top: int = 3) -> SafeString:
    """Turn Markdown into HTML; its highest heading becomes one of level `top`, below those of the page."""
    tokens = _MARKDOWN.parse(text)
    highest = min((int(token.tag[1]) for token in tokens if token.type == "heading_open"), default=1)
    for token in tokens:
        token.attrs.pop("style", None)  # the alignment of table columns; the content policy forbids it
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) - highest + top)}"
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return mark_safe(nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES))


@register.filter
def unprompted(field: BoundField) -> BoundField:
    """Take away the text inside an empty field that only repeats its label."""
    field.field.widget.attrs.pop("placeholder", None)
    return field


@register.filter
def drawing(svg: str) -> SafeString:
    """Put the square for an authenticator app into the page; no image may come as data."""
    return mark_safe(svg[svg.index("<svg") :].replace("<svg", '<svg role="img" aria-label="QR code"', 1))
