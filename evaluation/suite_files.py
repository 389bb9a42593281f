"""Define, write and check the suite files that ship with the library."""

from dataclasses import replace
from pathlib import Path

from evaluation.backbones.registry import backbone_digest
from evaluation.errors import InvalidSuite
from evaluation.jitters import JITTERS
from evaluation.metrics.registry import image_metrics
from evaluation.recipe import check_jitters, needed_networks
from evaluation.signatures import sign_suite
from evaluation.spec import BACKBONE, INCEPTION, LPIPS, SUITES_DIR, MetricSuite, load_suite, suite_ids

_COLUMNS = (
    "ssim",
    "content_loss_sum",
    "normalized_content",
    "relative_gram",
    "sliced_wasserstein",
    "colour_wasserstein",
    "style_retrieval",
    "content_retrieval",
    "jitter_gain",
    "total_loss",
    "seconds",
)


def official_suite() -> MetricSuite:
    """Define `sts-1`: the field's own networks, 256 pixels, the mean over four jitters."""
    return MetricSuite(
        name="sts",
        version=1,
        title="Style transfer",
        size=256,
        backbone="vgg19-imagenet1k-v1",
        backbone_digest=backbone_digest("vgg19-imagenet1k-v1"),
        content_parts=("lpips", "content_loss", "ms_ssim"),
        style_parts=("gram", "mean_std"),
        columns=_COLUMNS,
        jitters=tuple(JITTERS),
        networks={name: backbone_digest(name) for name in (LPIPS, INCEPTION)},
        set_columns=("kid", "fid", "artfid"),
        notes={
            "content_loss": "At relu4_2.",
            "gram": "At relu1_1 to relu5_1 with equal weights.",
            "kid": "Against the style images of the split.",
        },
    )


def large_suite() -> MetricSuite:
    """Define `sts-512-1`: as `sts-1`, on images of 512 pixels; their scores do not compare."""
    return replace(official_suite(), name="sts-512", title="Style transfer, 512 pixels", size=512)


def demo_suite() -> MetricSuite:
    """Define `sts-demo-2`: everything it looks through ships with the library."""
    return MetricSuite(
        name="sts-demo",
        version=2,
        title="Style transfer, demo scores",
        size=256,
        backbone="tiny-vgg-1",
        backbone_digest=backbone_digest("tiny-vgg-1"),
        content_parts=("perceptual", "content_loss", "ms_ssim"),
        style_parts=("gram", "mean_std"),
        columns=("ssim", "colour_wasserstein", "style_retrieval", "content_retrieval", "seconds"),
        is_demo=True,
        set_columns=("kid_backbone",),
        notes={
            "backbone": "A small network that was taught by VGG-19: see its model card for how well it agrees.",
            "content_loss": "At tap r41.",
            "gram": "At five taps with equal weights.",
        },
    )


def audit_suite() -> MetricSuite:
    """Define `sts-demo-1`: fixed filters without any weights, for audits and as a last resort."""
    return MetricSuite(
        name="sts-demo",
        version=1,
        title="Style transfer, demo scores",
        size=256,
        backbone="oriented-pyramid-1",
        backbone_digest=backbone_digest("oriented-pyramid-1"),
        content_parts=("perceptual", "content_loss", "ssim"),
        style_parts=("gram", "mean_std"),
        columns=("colour_histogram", "seconds"),
        is_demo=True,
        notes={
            "backbone": "Fixed filters, not learned: tells copies and controls from transfers, "
            "but its order of good methods is not that of people.",
            "content_loss": "At tap r41.",
            "gram": "At five taps with equal weights.",
        },
    )


SHIPPED = (official_suite, large_suite, demo_suite, audit_suite)


def check_suite(suite: MetricSuite) -> None:
    """Check that a suite can be computed by this library, as far as that shows without weight files.

    Raises:
        InvalidSuite: unknown metrics or jitters, a style weight outside 0..1, or a network that is unknown,
            changed, or not named with its digest.
    """
    image_metrics(suite)
    check_jitters(suite)
    if not suite.content_parts or not suite.style_parts or not 0 <= suite.style_weight <= 1:
        raise InvalidSuite(f"Suite {suite.id} needs content parts, style parts and a weight from 0 to 1.")
    pinned = suite.networks | {suite.backbone: suite.backbone_digest}
    for network in needed_networks(suite):
        name = suite.backbone if network == BACKBONE else network
        if backbone_digest(name) != pinned.get(name):
            raise InvalidSuite(
                f"Suite {suite.id} was made with another version of {name}, or does not name it."
            )


def check_suite_files() -> list[MetricSuite]:
    """Check every suite file of the library and return the suites.

    Raises:
        InvalidSuite: a file was changed, cannot be computed, is not named after its id, or differs from the
            definition above.
    """
    suites = [load_suite(suite_id) for suite_id in suite_ids()]
    defined = {suite.id: suite for suite in (define() for define in SHIPPED)}
    for suite_id, suite in zip(suite_ids(), suites, strict=True):
        check_suite(suite)
        if suite.id != suite_id:
            raise InvalidSuite(f"{suite_id}.json holds suite {suite.id}.")
        if suite != defined.get(suite_id):
            raise InvalidSuite(
                f"{suite_id} differs from its definition.", fix="Give a changed suite a new version number."
            )
    return suites


def write_suite(suite: MetricSuite, private_key: bytes, folder: Path = SUITES_DIR) -> Path:
    """Sign and write a new suite; the file of an older version is never overwritten.

    Raises:
        InvalidSuite: it cannot be computed, or the file exists.
    """
    check_suite(suite)
    path = folder / f"{suite.id}.json"
    if path.exists():
        raise InvalidSuite(f"{path.name} exists.", fix="Raise the version of the suite.")
    path.write_text(sign_suite(suite.to_json(), private_key), encoding="utf-8")
    return path
