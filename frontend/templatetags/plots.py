"""What the templates of plots and of the rows that they point at have in common."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from competitions.selectors.leaderboards import RowView
from frontend.plots import Point, anchor_of

register = template.Library()

# One call for a point and not twenty tags: a board has hundreds of them.
RING = '<circle class="ring" cx="{x}" cy="{y}" r="10"/>'
ENTRY = '<circle cx="{x}" cy="{y}" r="5"/>'
BASELINE = '<rect x="{x}" y="{y}" width="9" height="9" transform="translate(-4.5 -4.5)"/>'
NAME = '<text x="{x}" y="{y}" text-anchor="{anchor}">{name}</text>'
POINT = (
    '<a class="point {kind}" href="{href}" aria-label="{label}">'
    '<line x1="{x_low}" x2="{x_high}" y1="{y}" y2="{y}"/>'
    '<line x1="{x}" x2="{x}" y1="{y_low}" y2="{y_high}"/>{mark}{name}</a>'
)
PLACES = ("x", "y", "x_low", "x_high", "y_low", "y_high")


@register.filter
def anchor(row: RowView) -> str:
    """Return the id that a row has on its page."""
    return anchor_of(row)


@register.simple_tag
def plot_point(point: Point) -> SafeString:
    """Draw one generator as a link: 95 % bars, a disc for entries or a hollow square for baselines, and its name."""
    row = point.row
    label = gettext("{name}: content {content}, style {style}").format(
        name=row.name,
        content=f"{100 * row.values['content'].value:.1f}",
        style=f"{100 * row.values['style'].value:.1f}",
    )
    shape = BASELINE if row.kind == "baseline" else ENTRY
    mark = format_html(f"{RING}{shape}" if point.is_own else shape, x=point.x, y=point.y)
    name = format_html(NAME, x=point.name_x, y=point.name_y, anchor=point.anchor, name=point.name)
    return format_html(
        POINT,
        kind=" ".join([row.kind, *["best"] * point.is_frontier, *["own"] * point.is_own]),
        href=point.href,
        label=label,
        **{part: getattr(point, part) for part in PLACES},
        mark=mark,
        name=name if point.name else "",
    )
