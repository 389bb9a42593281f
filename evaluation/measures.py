"""Which function computes which metric of a suite, and on what: add a metric by adding one line here."""

from collections.abc import Callable
from dataclasses import dataclass

from evaluation.features import Features, StyleFeatures
from evaluation.headline import content_score, headline_score, style_score
from evaluation.metrics.colour import colour_distance
from evaluation.metrics.content import content_loss
from evaluation.metrics.perceptual import perceptual_distance
from evaluation.metrics.structure import ssim
from evaluation.metrics.style import gram_loss, mean_std_loss


@dataclass(frozen=True)
class Measure:
    """A documented metric function, and how it is applied to an output, its content and its style image."""

    formula: Callable[..., object]
    apply: Callable[[Features, Features, StyleFeatures], float]


MEASURES: dict[str, Measure] = {
    "content_loss": Measure(
        content_loss, lambda output, content, _: content_loss(output.content_map, content.content_map).item()
    ),
    "perceptual": Measure(
        perceptual_distance,
        lambda output, content, _: perceptual_distance(output.units, content.units).item(),
    ),
    "ssim": Measure(ssim, lambda output, content, _: ssim(output.pixels, content.pixels)),
    "gram": Measure(
        gram_loss, lambda output, _, style: gram_loss(output.style.statistics, style.statistics).item()
    ),
    "mean_std": Measure(
        mean_std_loss,
        lambda output, _, style: mean_std_loss(output.style.statistics, style.statistics).item(),
    ),
    "colour_histogram": Measure(
        colour_distance, lambda output, _, style: colour_distance(output.style.histogram, style.histogram)
    ),
}

FORMULAS: dict[str, Callable[..., object]] = {
    "content": content_score,
    "style": style_score,
    "headline": headline_score,
    **{name: measure.formula for name, measure in MEASURES.items()},
}
