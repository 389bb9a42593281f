"""What can be said about the files of a dataset: a closed list of findings, and the report that holds them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum

THIN = 20  # a slice of fewer hidden pairs says little


class Weight(StrEnum):
    """What a finding means for the file, or for the dataset."""

    FATAL = "fatal"  # no dataset can be made
    LEFT_OUT = "left_out"  # the file, or the pair, is not in the dataset
    WARNING = "warning"  # it is in, and somebody should look
    CHANGED = "changed"  # it is in, after it was changed


@dataclass(frozen=True)
class Kind:
    """One kind of finding: its weight, a sentence, and what to do."""

    code: str
    weight: Weight
    sentence: str
    advice: str


_LIST = (
    Kind(
        "BAD_PAIRS_FILE",
        Weight.FATAL,
        "pairs.json cannot be read, or does not follow its schema.",
        "Mend the line that is named, or leave pairs.json out and sort the pictures into folders.",
    ),
    Kind(
        "NO_PAIRS",
        Weight.FATAL,
        "No pair can be made of these files.",
        "Follow one of the two layouts on this page; the example shows both.",
    ),
    Kind(
        "NO_HIDDEN_PAIRS",
        Weight.FATAL,
        "None of the pairs is hidden, and scores come from hidden pairs.",
        "Put pictures into hidden/, or mark pairs as hidden in pairs.json.",
    ),
    Kind(
        "TOO_MANY_PAIRS",
        Weight.FATAL,
        "Crossing all contents with all styles gives more pairs than a run can paint.",
        "Use fewer pictures, or list the pairs that you want in pairs.json.",
    ),
    Kind(
        "NOT_AN_IMAGE",
        Weight.LEFT_OUT,
        "The content of the file is no picture, whatever its name says.",
        "Save the picture as PNG, JPEG or WebP. SVG and HTML are programs and are never taken.",
    ),
    Kind(
        "BROKEN_IMAGE",
        Weight.LEFT_OUT,
        "The picture is damaged or cut off.",
        "Export it again from the original.",
    ),
    Kind(
        "TOO_MANY_PIXELS",
        Weight.LEFT_OUT,
        "The picture has more pixels than are decoded here.",
        "Scale it down; 64 million pixels are the limit.",
    ),
    Kind(
        "TOO_SMALL",
        Weight.LEFT_OUT,
        "The picture is smaller than the side at which everything is scored.",
        "Find a larger copy; enlarging would invent detail.",
    ),
    Kind(
        "ANIMATED",
        Weight.LEFT_OUT,
        "The picture has several frames.",
        "Save the frame that you mean.",
    ),
    Kind(
        "DOUBLE_PAIR",
        Weight.LEFT_OUT,
        "A pair shows the same two pictures as another one.",
        "Nothing has to be done: one of them stays.",
    ),
    Kind(
        "MISSING_FILE",
        Weight.LEFT_OUT,
        "A pair names a file that is not there or was left out.",
        "Add the file, or take the pair out of pairs.json.",
    ),
    Kind(
        "DUPLICATE",
        Weight.WARNING,
        "Two files show the same picture.",
        "Keep one of them, so that no picture counts twice.",
    ),
    Kind(
        "KNOWN_HIDDEN",
        Weight.WARNING,
        "A picture of hidden pairs is also in a public pair, so everybody knows it.",
        "Use different pictures for the two splits.",
    ),
    Kind(
        "SMALL_SLICE",
        Weight.WARNING,
        "A group has fewer than 20 hidden pairs, too few to compare generators on it.",
        "Add pictures to the group, or join it with another one.",
    ),
    Kind(
        "NO_LICENSE",
        Weight.WARNING,
        "No license is named for the file.",
        "Add a row with file, author, source and license to credits.json.",
    ),
    Kind(
        "BAD_CREDITS",
        Weight.WARNING,
        "credits.json cannot be read.",
        "It is a list of rows with the texts file, title, author, source and license.",
    ),
    Kind(
        "NOT_USED",
        Weight.WARNING,
        "The file belongs to no pair.",
        "Move it into a folder of the layout, name it in pairs.json, or leave it out.",
    ),
    Kind(
        "NOT_RGB",
        Weight.CHANGED,
        "The picture was not in RGB and was converted.",
        "Look at its colours in the preview; convert it yourself if they are not right.",
    ),
    Kind(
        "PLACE_REMOVED",
        Weight.CHANGED,
        "The picture told where it was taken; that was removed.",
        "Nothing has to be done: no such data is ever stored or shown.",
    ),
)

KINDS: dict[str, Kind] = {kind.code: kind for kind in _LIST}

# The details of NOT_AN_IMAGE and BROKEN_IMAGE are codes, so that pages can say them in any language.
DETAILS = {
    "SVG": "It is an SVG drawing.",
    "HTML": "It is a web page.",
    "XML": "It is an XML document.",
    "PDF": "It is a PDF document.",
    "ZIP": "It is a zip file.",
    "GIF": "It is a GIF picture.",
    "TIFF": "It is a TIFF picture.",
    "PSD": "It is a Photoshop file.",
    "EMPTY": "It is empty.",
    "TEXT": "It is text.",
    "UNKNOWN": "It is of no known kind.",
    "CUT_OFF": "The file ends too early.",
    "DAMAGED": "Its pixels cannot be decoded.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was found: its code, the file or group concerned, and what exactly."""

    code: str
    file: str
    detail: str = ""

    @property
    def kind(self) -> Kind:
        """Return what the code means."""
        return KINDS[self.code]


@dataclass(frozen=True)
class Report:
    """What is told about the files of a dataset; `slices` counts hidden pairs by axis and label.

    `sha256` is that of the zip they came in, where they came in one.
    """

    size: int
    n_files: int = 0
    n_usable: int = 0
    n_public: int = 0
    n_hidden: int = 0
    findings: tuple[Finding, ...] = ()
    slices: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    previews: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def is_fatal(self) -> bool:
        """Say whether no dataset can be made."""
        return any(finding.kind.weight is Weight.FATAL for finding in self.findings)

    def counts(self) -> Counter[str]:
        """Count the findings by code."""
        return Counter(finding.code for finding in self.findings)

    def to_json(self) -> dict[str, object]:
        """Return the report as plain lists and dictionaries."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> "Report":
        """Read back what `to_json` gave."""
        fields = dict(document)
        found = fields.pop("findings", [])
        previews = fields.pop("previews", [])
        if not isinstance(found, list | tuple) or not isinstance(previews, list | tuple):
            raise ValueError("not a report")
        return cls(
            findings=tuple(Finding(**row) for row in found),
            previews=tuple(previews),
            **fields,  # type: ignore[arg-type]
        )
