"""The list of all numbers that can stand in a suite; torch-free, so that the web server can read it."""

from evaluation.errors import InvalidSuite
from evaluation.spec import Direction, Family, MetricSpec, MetricSuite

_LOWER, _HIGHER = Direction.LOWER, Direction.HIGHER

_SPECS = (
    MetricSpec(
        name="headline",
        title="Trade-off score",
        family=Family.HEADLINE,
        direction=_HIGHER,
        unit="score",
        minimum=0.0,
        maximum=1.0,
        source="C^(1-w) * S^w of the anchored content score C and style score S",
        misses="How pleasing a picture is: it measures two kinds of closeness, not beauty or artifacts.",
    ),
    MetricSpec(
        name="content",
        title="Content score",
        family=Family.CONTENT,
        direction=_HIGHER,
        unit="score",
        minimum=0.0,
        maximum=1.0,
        source="Mean of the suite's content metrics, each from 0 (unrelated picture) to 1 (content image)",
        misses="Style: the untouched content image has a perfect content score.",
    ),
    MetricSpec(
        name="style",
        title="Style score",
        family=Family.STYLE,
        direction=_HIGHER,
        unit="score",
        minimum=0.0,
        maximum=1.0,
        source="Mean of the suite's style metrics, each from 0 (content image) to 1 (style statistics met)",
        misses="Content: a copy of the style image has a perfect style score.",
    ),
    MetricSpec(
        name="content_loss",
        title="Content loss",
        family=Family.CONTENT,
        direction=_LOWER,
        unit="",
        minimum=0.0,
        maximum=None,
        source="Gatys, Ecker, Bethge 2016, equation 1, as a mean",
        misses="Its size depends on the content image, so raw values of different pairs do not compare.",
        is_squared=True,
    ),
    MetricSpec(
        name="perceptual",
        title="Perceptual distance",
        family=Family.PERCEPTUAL,
        direction=_LOWER,
        unit="",
        minimum=0.0,
        maximum=None,
        source="Zhang et al. 2018 (LPIPS), equation 1, all channel weights 1",
        misses="Without the published heads it is not LPIPS; it punishes brush strokes as it punishes noise.",
    ),
    MetricSpec(
        name="ssim",
        title="SSIM",
        family=Family.CONTENT,
        direction=_HIGHER,
        unit="",
        minimum=-1.0,
        maximum=1.0,
        source="Wang, Bovik, Sheikh, Simoncelli 2004, equation 13",
        misses="Meaning: it compares local contrast only, and falls for strokes that keep the scene readable.",
    ),
    MetricSpec(
        name="gram",
        title="Gram loss",
        family=Family.STYLE,
        direction=_LOWER,
        unit="",
        minimum=0.0,
        maximum=None,
        source="Gatys, Ecker, Bethge 2016, equations 3 to 5",
        misses="Arrangement: shuffled patches of the style image score well; raw values of styles do not compare.",
        is_squared=True,
    ),
    MetricSpec(
        name="mean_std",
        title="Mean and deviation loss",
        family=Family.STYLE,
        direction=_LOWER,
        unit="",
        minimum=0.0,
        maximum=None,
        source="Huang and Belongie 2017 (AdaIN), equation 13, squared",
        misses="Arrangement and how features go together; a global recoloring moves it far.",
        is_squared=True,
    ),
    MetricSpec(
        name="colour_histogram",
        title="Color distance",
        family=Family.COLOUR,
        direction=_LOWER,
        unit="",
        minimum=0.0,
        maximum=1.0,
        source="Hellinger distance of OKLab histograms, after Afifi, Brubaker, Brown 2021",
        misses="Everything but color: a color transfer without any brushwork wins it.",
    ),
    MetricSpec(
        name="seconds",
        title="Time per image",
        family=Family.EFFICIENCY,
        direction=_LOWER,
        unit="s",
        minimum=0.0,
        maximum=None,
        source="From the last byte of the input to the last byte of the answer, on the worker's machine",
        misses="Depends on the machine: compare only runs of one kind of worker.",
    ),
)

METRIC_SPECS: dict[str, MetricSpec] = {spec.name: spec for spec in _SPECS}
ANCHORED = ("content", "style", "headline")  # made from other metrics, never computed on images
UNCOMPUTED = frozenset((*ANCHORED, "seconds"))


def image_metrics(suite: MetricSuite) -> tuple[str, ...]:
    """List the metrics of a suite that are computed on images, parts first, each once.

    Raises:
        InvalidSuite: a name that no metric has, or a part that is not computed on images.
    """
    parts = (*suite.content_parts, *suite.style_parts)
    for name in (*parts, *suite.columns):
        if name not in METRIC_SPECS or (name in parts and name in UNCOMPUTED):
            known = ", ".join(sorted(METRIC_SPECS.keys() - UNCOMPUTED))
            raise InvalidSuite(f"Suite {suite.id} names {name!r}.", fix=f"Metrics on images: {known}.")
    names = dict.fromkeys((*parts, *suite.columns))
    return tuple(name for name in names if name not in UNCOMPUTED)
