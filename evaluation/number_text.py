"""How numbers are written for readers: the same in tables, reports and documents."""

from evaluation.metrics.registry import METRIC_SPECS
from evaluation.report import ReportRow
from evaluation.spec import MetricSpec

HUNDREDFOLD = "score"  # the unit of numbers from 0 to 1 that are written times 100, as on the board
NOTHING = "–"


def number_text(metric: str, value: float | None) -> str:
    """Write one value of a metric: scores times 100 with one digit, anything else with four."""
    if value is None:
        return NOTHING
    return f"{100 * value:.1f}" if METRIC_SPECS[metric].unit == HUNDREDFOLD else f"{value:.4g}"


def interval_text(row: ReportRow) -> str:
    """Write the 95 % interval of a row: `58.9 to 63.1`, or a dash where there is none."""
    if row.low is None or row.high is None:
        return NOTHING
    return f"{number_text(row.metric, row.low)} to {number_text(row.metric, row.high)}"


def unit_text(spec: MetricSpec) -> str:
    """Write the unit in which `number_text` writes."""
    return "of 100" if spec.unit == HUNDREDFOLD else spec.unit


def range_text(spec: MetricSpec) -> str:
    """Write the range of a metric with its unit: `0 to inf`, `-1 to 1`."""
    low = "-inf" if spec.minimum is None else f"{spec.minimum:g}"
    high = "inf" if spec.maximum is None else f"{spec.maximum:g}"
    note = ", written times 100" if spec.unit == HUNDREDFOLD else f" {spec.unit}"
    return f"{low} to {high}{note}".rstrip()
