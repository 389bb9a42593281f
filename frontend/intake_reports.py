"""Arrange the report on an organizer's pictures for its page."""

from collections.abc import Mapping
from dataclasses import dataclass

from evaluation.intake.findings import DETAILS, KINDS, THIN, Kind, Report, Weight

SHOWN = 12  # files of one kind; the others are counted


@dataclass(frozen=True)
class Shown:
    """One file with a finding; `thumbnail` is empty where nothing could be decoded.

    `sentence` says in words what the finding's detail says as a code.
    """

    file: str
    detail: str
    thumbnail: str
    sentence: str


@dataclass(frozen=True)
class Group:
    """All findings of one kind."""

    kind: Kind
    n: int
    files: tuple[Shown, ...]

    @property
    def n_more(self) -> int:
        """Count what is not listed."""
        return self.n - len(self.files) if self.files else 0


@dataclass(frozen=True)
class Bar:
    """One line of a histogram; `share` is in percent of the longest."""

    label: str
    n: int
    share: float
    is_thin: bool


def report_context(report: Report | None, thumbnails: Mapping[str, str]) -> dict[str, object]:
    """Collect what the page says about a report."""
    if report is None:
        return {"report": None}
    return {
        "report": report,
        "groups": _groups(report, thumbnails),
        "histograms": [(axis, _bars(counted)) for axis, counted in report.slices.items()],
        "previews": [thumbnails[name] for name in report.previews if name in thumbnails],
        "thin": THIN,
    }


def _groups(report: Report, thumbnails: Mapping[str, str]) -> list[Group]:
    groups = []
    for code, n in report.counts().items():
        # Thin groups are marked in the histograms already.
        listed = () if code == "SMALL_SLICE" else report.findings
        of_code = [finding for finding in listed if finding.code == code and finding.file][:SHOWN]
        files = tuple(
            Shown(f.file, f.detail, thumbnails.get(f.file, ""), DETAILS.get(f.detail, "")) for f in of_code
        )
        groups.append(Group(KINDS[code], n, files))
    order = list(Weight)
    return sorted(groups, key=lambda group: order.index(group.kind.weight))


def _bars(counted: Mapping[str, int]) -> list[Bar]:
    most = max(counted.values(), default=1)
    return [Bar(label, n, round(100 * n / most, 1), n < THIN) for label, n in counted.items()]
