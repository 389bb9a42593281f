"""What a suite needs: its networks, loaded and checked, and which ingredients are derived of which picture."""

from collections.abc import Iterable
from pathlib import Path

from evaluation.backbones.registry import Backbone, load_backbone
from evaluation.errors import InvalidSuite
from evaluation.features import Extractor
from evaluation.ingredients import FROM_NETWORK
from evaluation.jitters import IDENTITY, JITTERS
from evaluation.measures import MEASURES
from evaluation.metrics.registry import image_metrics
from evaluation.references import Role
from evaluation.set_measures import SET_MEASURES
from evaluation.spec import BACKBONE, MetricSuite


class Recipe:
    """The extractors of one suite: `whole` for pictures as they are, `parts` for what the ranking rests on."""

    def __init__(
        self,
        suite: MetricSuite,
        device: str = "cpu",
        *,
        weights_dir: Path | None = None,
        random_seed: int | None = None,
    ) -> None:
        """Load every network that an ingredient of the suite looks through.

        Raises:
            InvalidSuite: unknown metrics, jitters or networks, or another digest than a network has.
            WeightsMissing, WeightsCorrupt: a weight file is not there, or is another one.
        """
        check_jitters(suite)
        self.device = device
        self.part_names = tuple(dict.fromkeys((*suite.content_parts, *suite.style_parts)))
        self._jitters = suite.jitters
        self.networks = {
            network: _load(suite, network, device, weights_dir=weights_dir, random_seed=random_seed)
            for network in needed_networks(suite)
        }
        self.whole = Extractor(self.networks, _all_ingredients(suite))
        self.parts = Extractor(self.networks, _ingredients(self.part_names))
        of_style = [name for name in image_metrics(suite) if MEASURES[name].is_style]
        self._of_style = {*_ingredients(of_style), *_extras(suite)}

    @property
    def device_type(self) -> str:
        """Return the kind of device, "cpu" or "cuda"."""
        return self.device.partition(":")[0]

    def reference_extractors(self) -> dict[tuple[Role, str], Extractor]:
        """Return what is kept of content and style images under each jitter.

        A content image is also an output that earns a style score of 0, so everything is kept of it; of a
        style image only what styles are compared by.
        """
        found: dict[tuple[Role, str], Extractor] = {}
        for jitter in self._jitters:
            ingredients = self.whole.ingredients if jitter == IDENTITY else self.parts.ingredients
            of_style = [name for name in ingredients if name in self._of_style]
            found[Role.CONTENT, jitter] = Extractor(self.networks, ingredients)
            found[Role.STYLE, jitter] = Extractor(self.networks, of_style)
        return found


def needed_networks(suite: MetricSuite) -> list[str]:
    """List the networks that the metrics of a suite look through, BACKBONE for the suite's own.

    Raises:
        InvalidSuite: unknown metrics.
    """
    found = {FROM_NETWORK[name].network for name in _all_ingredients(suite) if name in FROM_NETWORK}
    return sorted(found)


def check_jitters(suite: MetricSuite) -> None:
    """Refuse a suite whose jitters are unknown, doubled, or do not start with the picture as it is."""
    unknown = [name for name in suite.jitters if name not in JITTERS]
    if unknown or suite.jitters[:1] != (IDENTITY,) or len(set(suite.jitters)) != len(suite.jitters):
        raise InvalidSuite(
            f"Suite {suite.id} asks for jitters {suite.jitters}.",
            fix=f"Known are {', '.join(JITTERS)}; {IDENTITY} comes first, and none twice.",
        )


def _all_ingredients(suite: MetricSuite) -> list[str]:
    return list(dict.fromkeys((*_ingredients(image_metrics(suite)), *_extras(suite))))


def _ingredients(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(ingredient for name in names for ingredient in MEASURES[name].ingredients))


def _extras(suite: MetricSuite) -> list[str]:
    """List what the metrics read that compare with more than one image."""
    found = [SET_MEASURES[name].ingredient for name in suite.set_columns]
    if "style_retrieval" in suite.columns:
        found.append("statistics")
    if "content_retrieval" in suite.columns:
        found.append("layout")
    return found


def _load(
    suite: MetricSuite,
    network: str,
    device: str,
    *,
    weights_dir: Path | None,
    random_seed: int | None,
) -> Backbone:
    name = suite.backbone if network == BACKBONE else network
    expected = suite.backbone_digest if network == BACKBONE else suite.networks.get(network)
    backbone = load_backbone(name, device, weights_dir, random_seed=random_seed)
    if random_seed is None and backbone.digest != expected:
        raise InvalidSuite(
            f"Suite {suite.id} was made with another {name}: {str(expected)[:12]}, here is {backbone.digest[:12]}.",
            fix="Scores of different networks do not compare; use the suite's own version of the library.",
        )
    return backbone
