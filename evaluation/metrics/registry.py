"""What the names in a suite stand for, and which of them can stand where; torch-free."""

from collections.abc import Mapping, Set

from evaluation.errors import InvalidSuite
from evaluation.metrics.catalog import SPECS
from evaluation.spec import BACKBONE, MetricSpec, MetricSuite

METRIC_SPECS: dict[str, MetricSpec] = {spec.name: spec for spec in SPECS}
ANCHORED = ("content", "style", "headline")  # made from other metrics, never computed on images
PRIVATE = ("adversarial", "adversarial_loss")  # from discriminators that no suite names
DERIVED = (  # need more than one image pair
    "style_retrieval",
    "content_retrieval",
    "jitter_gain",
    "total_loss",
    *PRIVATE,
)
UNCOMPUTED = frozenset((*ANCHORED, *DERIVED, "seconds"))
SET_LEVEL = frozenset(name for name, spec in METRIC_SPECS.items() if spec.is_set_level)


def image_metrics(suite: MetricSuite) -> tuple[str, ...]:
    """List the metrics of a suite that are computed on images, parts first, each once.

    Raises:
        InvalidSuite: a name that no metric has, or one in the wrong place.
    """
    parts = (*suite.content_parts, *suite.style_parts)
    on_images = METRIC_SPECS.keys() - UNCOMPUTED - SET_LEVEL
    _check_names(suite, "parts", parts, on_images)
    _check_names(suite, "columns", suite.columns, METRIC_SPECS.keys() - SET_LEVEL)
    _check_names(suite, "set_columns", suite.set_columns, SET_LEVEL)
    return tuple(name for name in dict.fromkeys((*parts, *suite.columns)) if name in on_images)


def metric_id(suite: MetricSuite, name: str, private: Mapping[str, str] | None = None) -> str:
    """Return what a number is called where it is cited: metric, network, start of the network's digest.

    `private` maps networks that no suite names to their digests.
    """
    network = METRIC_SPECS[name].network
    if not network:
        return name
    digests = {**suite.networks, **(private or {}), BACKBONE: suite.backbone_digest}
    return f"{name}@{suite.backbone if network == BACKBONE else network}:{digests.get(network, '')[:12]}"


def _check_names(suite: MetricSuite, place: str, names: tuple[str, ...], known: Set[str]) -> None:
    for name in names:
        if name not in known:
            raise InvalidSuite(
                f"Suite {suite.id} names {name!r} among its {place}.",
                fix=f"Known: {', '.join(sorted(known))}.",
            )
