"""Which function computes which metric of a suite, and on what: add a metric by adding one line here."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from evaluation.features import Features, image_batch
from evaluation.headline import content_score, headline_score, style_score
from evaluation.metrics.adversarial import adversarial_score, generator_loss
from evaluation.metrics.colour import colour_distance, colour_sliced_wasserstein
from evaluation.metrics.combined import total_loss
from evaluation.metrics.content import content_loss, content_loss_sum, instance_normalized_content_loss
from evaluation.metrics.patches import cfsd
from evaluation.metrics.perceptual import lpips, perceptual_distance
from evaluation.metrics.projections import sliced_wasserstein
from evaluation.metrics.retrieval import retrieval_at_1
from evaluation.metrics.structure import ms_ssim, self_similarity_loss, ssim_index
from evaluation.metrics.style import gram_loss, mean_std_loss, relative_gram_loss

Apply = Callable[[Features, Features], float]


@dataclass(frozen=True)
class Measure:
    """A documented metric function, and how it is applied to an output and its content or style image.

    `ingredients` are what it reads of both; `is_style` says which of the two images it compares with.
    """

    formula: Callable[..., object]
    ingredients: tuple[str, ...]
    apply: Apply
    is_style: bool = False


def _on_layers(function: Callable[[tuple[Tensor, ...], tuple[Tensor, ...]], Tensor], name: str) -> Apply:
    return lambda output, other: function(output.layers(name), other.layers(name)).item()


def _on_map(function: Callable[[Tensor, Tensor], Tensor], name: str) -> Apply:
    return lambda output, other: function(output.layers(name)[0], other.layers(name)[0]).item()


def _on_pictures(function: Callable[[Tensor, Tensor], Tensor]) -> Apply:
    return lambda output, other: function(image_batch([output.pixels]), image_batch([other.pixels])).item()


def _array(features: Features, name: str) -> np.ndarray:
    return features.layers(name)[0][0].cpu().numpy()


def _mean_over_layers(function: Callable[[Tensor, Tensor], Tensor], name: str) -> Apply:
    def apply(output: Features, other: Features) -> float:
        pairs = list(zip(output.layers(name), other.layers(name), strict=True))
        return sum(function(ours, theirs).item() for ours, theirs in pairs) / len(pairs)

    return apply


MEASURES: dict[str, Measure] = {
    "content_loss": Measure(content_loss, ("content_map",), _on_map(content_loss, "content_map")),
    "content_loss_sum": Measure(content_loss_sum, ("content_map",), _on_map(content_loss_sum, "content_map")),
    "normalized_content": Measure(
        instance_normalized_content_loss,
        ("deep_maps",),
        _mean_over_layers(instance_normalized_content_loss, "deep_maps"),
    ),
    "perceptual": Measure(perceptual_distance, ("units",), _on_layers(perceptual_distance, "units")),
    **{
        name: Measure(lpips, (name,), _on_layers(perceptual_distance, name))
        for name in ("lpips", "lpips_vgg", "lpips_squeeze")
    },
    "cfsd": Measure(cfsd, ("middle_map",), _on_map(cfsd, "middle_map")),
    "dino_structure": Measure(self_similarity_loss, ("keys",), _on_map(self_similarity_loss, "keys")),
    "ssim": Measure(ssim_index, (), _on_pictures(ssim_index)),
    "ms_ssim": Measure(ms_ssim, (), _on_pictures(ms_ssim)),
    "gram": Measure(
        gram_loss, ("statistics",), lambda o, s: gram_loss(o.statistics, s.statistics).item(), is_style=True
    ),
    "relative_gram": Measure(
        relative_gram_loss,
        ("statistics",),
        lambda o, s: relative_gram_loss(o.statistics, s.statistics).item(),
        is_style=True,
    ),
    "mean_std": Measure(
        mean_std_loss,
        ("statistics",),
        lambda o, s: mean_std_loss(o.statistics, s.statistics).item(),
        is_style=True,
    ),
    "sliced_wasserstein": Measure(
        sliced_wasserstein,
        ("projections",),
        _mean_over_layers(sliced_wasserstein, "projections"),
        is_style=True,
    ),
    "colour_histogram": Measure(
        colour_distance,
        ("histogram",),
        lambda o, s: colour_distance(_array(o, "histogram"), _array(s, "histogram")),
        is_style=True,
    ),
    "colour_wasserstein": Measure(
        colour_sliced_wasserstein,
        ("colour",),
        lambda o, s: colour_sliced_wasserstein(_array(o, "colour"), _array(s, "colour")),
        is_style=True,
    ),
}

FORMULAS: dict[str, Callable[..., object]] = {
    "content": content_score,
    "style": style_score,
    "headline": headline_score,
    "total_loss": total_loss,
    "adversarial": adversarial_score,
    "adversarial_loss": generator_loss,
    "style_retrieval": retrieval_at_1,
    "content_retrieval": retrieval_at_1,
    **{name: measure.formula for name, measure in MEASURES.items()},
}
