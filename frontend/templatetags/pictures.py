"""Write pictures as small copies that fit where they stand; alternative texts say what they show."""

from uuid import UUID

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from competitions.selectors.competitions import PairView

register = template.Library()

LAZY = mark_safe(' loading="lazy"')
# Beside each copy the one that screens with two dots per pixel load.
SHARPER = {96: 160, 160: 256, 256: 512, 512: 768}


@register.simple_tag
def content_picture(
    pair: PairView, width: int, *, is_eager: bool = False, alt: str | None = None
) -> SafeString:
    """Write the content image of a public pair; `width` is one of the widths that thumbnails come in."""
    text = gettext("content: %(kind)s") % {"kind": pair.content_kind} if alt is None else alt
    return _picture("pair_thumbnail", (pair.pk, "content"), width, text, is_eager=is_eager)


@register.simple_tag
def style_picture(
    pair: PairView, width: int, *, is_eager: bool = False, alt: str | None = None
) -> SafeString:
    """Write the style image of a public pair."""
    text = gettext("style: %(style)s") % {"style": pair.style_family} if alt is None else alt
    return _picture("pair_thumbnail", (pair.pk, "style"), width, text, is_eager=is_eager)


@register.simple_tag
def output_picture(
    run_id: UUID, name: str, pair: PairView, width: int, *, is_eager: bool = False, alt: str | None = None
) -> SafeString:
    """Write what a run of the generator `name` made of a public pair."""
    if alt is None:
        alt = gettext("output of %(name)s for content %(kind)s in style %(style)s") % {
            "name": name,
            "kind": pair.content_kind,
            "style": pair.style_family,
        }
    return _picture("output_thumbnail", (run_id, pair.pk), width, alt, is_eager=is_eager)


def _picture(view: str, key: tuple[object, ...], width: int, alt: str, *, is_eager: bool) -> SafeString:
    source, sharper = (reverse(view, args=[*key, w]) for w in (width, SHARPER.get(width, width)))
    return format_html(
        '<img src="{}" srcset="{} 2x" width="{}" height="{}" alt="{}"{}>',
        source,
        sharper,
        width,
        width,
        alt,
        "" if is_eager else LAZY,
    )
