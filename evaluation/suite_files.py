"""Write and check the suite files that ship with the library."""

from pathlib import Path

from evaluation.backbones.registry import load_backbone
from evaluation.errors import InvalidSuite
from evaluation.metrics.registry import image_metrics
from evaluation.spec import SUITES_DIR, MetricSuite, load_suite, suite_ids


def demo_suite() -> MetricSuite:
    """Define `sts-demo-1`: the suite that runs anywhere, without any weight file."""
    backbone = load_backbone("oriented-pyramid-1")
    return MetricSuite(
        name="sts-demo",
        version=1,
        title="Style transfer, demo scores",
        size=256,
        backbone=backbone.name,
        backbone_digest=backbone.digest,
        content_parts=("perceptual", "content_loss", "ssim"),
        style_parts=("gram", "mean_std"),
        columns=("colour_histogram", "seconds"),
        is_demo=True,
        notes={
            "backbone": "Fixed filters, not learned: tells copies and controls from transfers, "
            "but its order of good methods is not that of people.",
            "content_loss": f"At tap {backbone.content_tap}.",
            "gram": "At five taps with equal weights.",
        },
    )


def check_suite(suite: MetricSuite) -> None:
    """Check that a suite can be computed by this library.

    Raises:
        InvalidSuite: unknown metrics, a style weight outside 0..1, or a backbone that is unknown or changed.
    """
    image_metrics(suite)
    if not suite.content_parts or not suite.style_parts or not 0 <= suite.style_weight <= 1:
        raise InvalidSuite(f"Suite {suite.id} needs content parts, style parts and a weight from 0 to 1.")
    if load_backbone(suite.backbone).digest != suite.backbone_digest:
        raise InvalidSuite(f"Suite {suite.id} was made with another version of {suite.backbone}.")


def check_suite_files() -> list[MetricSuite]:
    """Check every suite file of the library and return the suites.

    Raises:
        InvalidSuite: a file cannot be computed, is not named after its id, or `sts-demo-1` was changed.
    """
    suites = []
    for suite_id in suite_ids():
        suite = load_suite(suite_id)
        check_suite(suite)
        if suite.id != suite_id:
            raise InvalidSuite(f"{suite_id}.json holds suite {suite.id}.")
        suites.append(suite)
    if load_suite(demo_suite().id) != demo_suite():
        raise InvalidSuite(
            "sts-demo-1 differs from its definition.", fix="Give a changed suite a new version number."
        )
    return suites


def write_suite(suite: MetricSuite, folder: Path = SUITES_DIR) -> Path:
    """Write a new suite in its canonical form; the file of an older version is never overwritten.

    Raises:
        InvalidSuite: the file exists with other content.
    """
    path = folder / f"{suite.id}.json"
    text = suite.to_json()
    if path.exists() and path.read_text(encoding="utf-8").strip() != text:
        raise InvalidSuite(f"{path.name} exists with other content.", fix="Raise the version of the suite.")
    path.write_text(text + "\n", encoding="utf-8")
    return path
