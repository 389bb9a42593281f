"""From raw metric values to the anchored content score C, style score S and headline H of one pair."""

import math
from collections.abc import Iterable, Mapping, Sequence

from evaluation.anchors import PairAnchors
from evaluation.errors import InvalidTensor
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.spec import Direction, MetricSpec, MetricSuite


def to_distance(spec: MetricSpec, value: float) -> float:
    """Turn a metric value into a distance, 0 at its best: a similarity becomes its maximum minus itself."""
    if spec.direction is Direction.LOWER:
        return value
    if spec.maximum is None:
        raise InvalidTensor(f"{spec.name} has no best value, so it cannot be anchored.")
    return spec.maximum - value


def anchored_score(spec: MetricSpec, value: float, anchor: float) -> float:
    """Rescale a metric value by its anchor: ``clip(1 - d / anchor, 0, 1)``, with roots for squared distances.

    Args:
        spec: the metric; its direction and `is_squared` decide how.
        value: the raw metric value.
        anchor: the distance that earns 0, above 0.

    Returns:
        float in [0, 1], higher is better: 1 at distance 0, 0 at the anchor and beyond.

    Raises:
        InvalidTensor: a value that is not finite.
    """
    if not math.isfinite(value):
        raise InvalidTensor(f"{spec.name} is {value}, expected a finite number.")
    ratio = max(to_distance(spec, value), 0.0) / anchor
    return min(1.0, max(0.0, 1.0 - (math.sqrt(ratio) if spec.is_squared else ratio)))


def content_score(values: Mapping[str, float], anchors: PairAnchors) -> float:
    """Compute C: the mean over content metrics k of ``clip(1 - d_k(o,c) / b_k, 0, 1)``.

    ``b_k = min(d_k(s,c), median over other contents c' of d_k(c',c))``; squared distances are rooted first.

    Returns:
        float in [0, 1], higher is better: 1 for the content image itself, 0 for an unrelated picture
        and for the style image.
    """
    return _mean_score(values, anchors.content)


def style_score(values: Mapping[str, float], anchors: PairAnchors) -> float:
    """Compute S: the mean over style metrics k of ``clip(1 - sqrt(d_k(o,s) / d_k(c,s)), 0, 1)``.

    Returns:
        float in [0, 1], higher is better: 0 for the untouched content image, 1 where the style
        statistics are met.
    """
    return _mean_score(values, anchors.style)


def headline_score(content: float, style: float, style_weight: float = 0.5) -> float:
    """Compute ``H = C^(1-w) * S^w``, the weighted geometric mean of content and style score.

    Args:
        content: C in [0, 1].
        style: S in [0, 1].
        style_weight: w in [0, 1].

    Returns:
        float in [0, 1], higher is better: 0 for copies of the content or of the style image.
    """
    return float(content ** (1.0 - style_weight) * style**style_weight)


def headline_values(
    suite: MetricSuite, values: Mapping[str, float], anchors: PairAnchors
) -> dict[str, float]:
    """Return content, style and headline of one pair from its raw metric values."""
    content, style = content_score(values, anchors), style_score(values, anchors)
    headline = headline_score(content, style, suite.style_weight)
    return {"content": content, "style": style, "headline": headline}


def mean_values(suite: MetricSuite, rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average the values of one pair over jitters; the first row is that of the picture as it is.

    C and S are means over jitters and H is made from these means, so that ``H = C^(1-w) * S^w`` holds in
    every table. With several jitters, ``jitter_gain`` is the first H less the mean of the others.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    values = {name: _mean(row[name] for row in rows if name in row) for name in names}
    values["headline"] = headline_score(values["content"], values["style"], suite.style_weight)
    if len(rows) > 1:
        values["jitter_gain"] = rows[0]["headline"] - _mean(row["headline"] for row in rows[1:])
    return values


def total_loss_value(suite: MetricSuite, values: Mapping[str, float]) -> float:
    """Return ``alpha L_c + beta L_s + gamma L_adv`` of one pair; without a discriminator L_adv is 0."""
    alpha, beta, gamma = suite.loss_weights
    return (
        alpha * values["content_loss_sum"]
        + beta * values["gram"]
        + gamma * values.get("adversarial_loss", 0.0)
    )


def _mean_score(values: Mapping[str, float], anchors: Mapping[str, float]) -> float:
    return _mean(anchored_score(METRIC_SPECS[name], values[name], anchor) for name, anchor in anchors.items())


def _mean(scores: Iterable[float]) -> float:
    listed = list(scores)
    return math.fsum(listed) / len(listed)
