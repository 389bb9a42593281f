"""Set organizers' texts, written as Markdown, without letting them add anything but text."""

from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

register = template.Library()

# No raw HTML, no images: an organizer is trusted with words, not with what readers' browsers load.
_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block", "html_inline"])
)


@register.filter
def rich_text(text: str) -> SafeString:
    """Turn Markdown into HTML; headings sink below those of the page."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        token.attrs.pop("style", None)  # the alignment of table columns; the content policy forbids it
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
    return mark_safe(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))
