"""Write scores with their intervals, ranks, times and durations, the same way on every page."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from competitions.selectors.leaderboards import Estimate, RowView
from competitions.selectors.output import ScoreView
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.obstacles import Told

register = template.Library()
Interval = Estimate | ScoreView
NOTHING = "–"
HUNDREDFOLD = "score"  # the unit of numbers from 0 to 1 that are shown times 100


@register.filter
def of(values: Mapping[str, Interval], metric: str) -> Interval | None:
    """Take the estimate of one metric, or nothing where there is none."""
    return values.get(metric)


@register.simple_tag
def estimate(values: Mapping[str, Interval], metric: str) -> SafeString:
    """Write a value with half the width of its 95 % interval: `62.4 ± 1.9`; the exact ends are its title."""
    found = values.get(metric)
    if found is None or not isfinite(found.value):
        return format_html('<span class="number">{}</span>', NOTHING)
    return _written(found, 100.0 if METRIC_SPECS[metric].unit == HUNDREDFOLD else 1.0)


@register.simple_tag
def interval(found: Interval) -> SafeString:
    """Write a score from 0 to 1, times 100, with half the width of its 95 % interval."""
    return _written(found, 100.0)


@register.filter
def metric_title(name: str) -> str:
    """Name a metric in the reader's language."""
    return gettext(METRIC_SPECS[name].title)


@register.filter
def signed(value: float) -> str:
    """Write a difference of scores from 0 to 1 times 100, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "−")


@register.filter
def distance(value: float) -> str:
    """Write how far apart two scores are, without a sign."""
    return f"{100 * abs(value):.1f}"


@register.filter
def p_value(value: float | None) -> str:
    """Write a p-value: `0.034`, or `< 0.001`."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


@register.filter
def percent(value: float) -> str:
    """Write a score from 0 to 1 times 100."""
    return f"{100 * value:.1f}"


@register.simple_tag
def time_per_image(values: Mapping[str, Interval]) -> SafeString:
    """Write the seconds that an image takes."""
    found = values.get("seconds")
    return format_html('<span class="number">{}</span>', duration(found.value if found else None))


@register.simple_tag
def interval_bar(values: Mapping[str, Interval], metric: str) -> SafeString:
    """Draw value and interval of a 0..1 score as a small picture; the numbers beside it say the same."""
    found = values.get(metric)
    return mark_safe("") if found is None else score_bar(found)


@register.simple_tag
def score_bar(found: Interval) -> SafeString:
    """Draw value and interval of one 0..1 score."""
    if found.low is None or found.high is None:
        return mark_safe("")
    low, high, value = (f"{100 * min(1.0, max(0.0, x)):.2f}" for x in (found.low, found.high, found.value))
    return format_html(
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="6"/><rect class="fill" width="{}" height="6"/>'
        '<rect class="span" x="{}" width="{}" height="6"/></svg>',
        value,
        low,
        f"{max(0.4, float(high) - float(low)):.2f}",
    )


@register.filter
def rank_range(row: RowView) -> str:
    """Write the ranks that cannot be told apart: `1–3`, or `2` where there is only one."""
    if row.rank is None:
        return ""
    low, high = row.rank_low or row.rank, row.rank_high or row.rank
    return str(low) if low == high else f"{low}–{high}"


@register.filter
def group_letters(row: RowView) -> str:
    """Write the groups of an entry as letters: `a`, or `a–c`; entries that share one cannot be told apart."""
    if row.group is None:
        return ""
    first, last = _letters(row.group), _letters(row.group_last or row.group)
    return first if first == last else f"{first}–{last}"


@register.filter
def duration(seconds: float | None) -> str:
    """Write seconds in the unit that fits: `0.42 s`, `38 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds is None or not isfinite(seconds):
        return NOTHING
    if seconds < 10:
        return gettext("{n} s").format(n=f"{seconds:.2f}" if seconds < 1 else f"{seconds:.1f}")
    whole = round(seconds)
    if whole < 60:
        return gettext("{n} s").format(n=whole)
    if whole < 3600:
        return _two(gettext("{n} min"), whole // 60, gettext("{n} s"), whole % 60)
    return _two(gettext("{n} h"), whole // 3600, gettext("{n} min"), whole % 3600 // 60)


@register.filter
def utc(moment: datetime | None) -> SafeString:
    """Write a moment to the minute in UTC, with the exact one for programs."""
    return _time(moment, "%Y-%m-%d %H:%M")


@register.filter
def clock(moment: datetime | None) -> SafeString:
    """Write the time of day to the second in UTC, with the date for programs."""
    return _time(moment, "%H:%M:%S")


@register.filter
def translated(text: str) -> str:
    """Translate a text that another room has written; one that no catalogue knows stays as it is."""
    if isinstance(text, Told):
        return gettext(text.template).format_map(text.values)
    return gettext(text) if text else ""


@register.filter
def ticks(text: str) -> SafeString:
    """Set what stands between backticks as code; everything is escaped."""
    parts = re.split(r"`([^`\n]+)`", text)
    pieces = [
        format_html("<code>{}</code>", part) if index % 2 else conditional_escape(part)
        for index, part in enumerate(parts)
    ]
    return format_html_join("", "{}", ((piece,) for piece in pieces))


@register.filter
def short(identifier: object) -> str:
    """Write the first eight characters of an id or a digest."""
    return str(identifier)[:8]


def _written(found: Interval, scale: float) -> SafeString:
    value = _shown(found.value * scale, fixed=scale == 100.0)
    if found.low is None or found.high is None:
        return format_html('<span class="number">{}</span>', value)
    half = (found.high - found.low) / 2 * scale
    decimals = len(value.partition(".")[2])
    ends = f"{found.low * scale:.{decimals + 1}f} – {found.high * scale:.{decimals + 1}f}"
    return format_html(
        '<span class="number" title="{}">{} <span class="interval">± {}</span></span>',
        gettext("95 % interval: {ends}").format(ends=ends),
        value,
        f"{half:.{decimals}f}" if "e" not in value else f"{half:.1e}",
    )


def _letters(number: int) -> str:
    """Write 1, 2, .. 26, 27 as a, b, .. z, aa."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def _two(large: str, n_large: int, small: str, n_small: int) -> str:
    """Join two units, without the small one where there is nothing of it."""
    parts = [large.format(n=n_large)] + ([small.format(n=n_small)] if n_small else [])
    return " ".join(parts)


def _shown(value: float, *, fixed: bool) -> str:
    """Write one decimal for scores; for raw metrics three significant digits, without tiny zeros."""
    if fixed:
        return f"{value:.1f}"
    if value and abs(value) < 0.001:
        return f"{value:.2e}"
    return f"{value:.4f}" if abs(value) < 1 else f"{value:.2f}"


def _time(moment: datetime | None, form: str) -> SafeString:
    if moment is None:
        return mark_safe(NOTHING)
    return format_html(
        '<time datetime="{0}" title="{0}">{1}</time>',
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        moment.astimezone(UTC).strftime(form),
    )
