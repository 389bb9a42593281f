"""The list of metrics is complete, consistent and torch-free."""

import subprocess
import sys
from dataclasses import replace

import pytest

from evaluation.errors import InvalidSuite
from evaluation.ingredients import FROM_NETWORK
from evaluation.measures import FORMULAS, MEASURES
from evaluation.metrics.registry import METRIC_SPECS, SET_LEVEL, UNCOMPUTED, image_metrics, metric_id
from evaluation.set_measures import SET_MEASURES
from evaluation.spec import LPIPS, Direction, load_suite


def test_every_metric_is_either_measured_or_derived() -> None:
    assert METRIC_SPECS.keys() == MEASURES.keys() | SET_MEASURES.keys() | UNCOMPUTED
    assert not MEASURES.keys() & UNCOMPUTED
    assert SET_MEASURES.keys() == SET_LEVEL


@pytest.mark.parametrize("name", METRIC_SPECS)
def test_every_spec_says_what_it_is(name: str) -> None:
    spec = METRIC_SPECS[name]
    assert spec.name == name
    assert spec.title
    assert spec.source
    assert spec.misses.endswith(".")
    assert spec.direction is Direction.LOWER or spec.maximum is not None


@pytest.mark.parametrize("name", MEASURES)
def test_every_metric_names_the_network_that_it_looks_through(name: str) -> None:
    networks = {FROM_NETWORK[each].network for each in MEASURES[name].ingredients if each in FROM_NETWORK}
    assert networks == ({METRIC_SPECS[name].network} - {""})


def test_a_metric_id_names_network_and_digest() -> None:
    suite = load_suite("sts-1")
    assert metric_id(suite, "ms_ssim") == "ms_ssim"
    assert metric_id(suite, "gram") == f"gram@vgg19-imagenet1k-v1:{suite.backbone_digest[:12]}"
    assert metric_id(suite, "lpips") == f"lpips@lpips-alex-0.1:{suite.networks[LPIPS][:12]}"


@pytest.mark.parametrize("name", FORMULAS)
def test_every_formula_is_documented(name: str) -> None:
    documentation = FORMULAS[name].__doc__ or ""
    assert "Returns:" in documentation
    if name in MEASURES:
        assert "Source:" in documentation
        assert "Raises:" in documentation


def test_a_suite_names_each_metric_once_and_only_known_ones() -> None:
    suite = load_suite("sts-demo-1")
    assert image_metrics(suite) == (
        "perceptual",
        "content_loss",
        "ssim",
        "gram",
        "mean_std",
        "colour_histogram",
    )
    assert (
        image_metrics(replace(suite, columns=("gram", "gram", "seconds", "headline")))
        == image_metrics(suite)[:5]
    )
    for broken in (
        replace(suite, columns=("beauty",)),
        replace(suite, style_parts=("seconds",)),
        replace(suite, content_parts=("headline",)),
        replace(suite, columns=("kid",)),
        replace(suite, set_columns=("gram",)),
    ):
        with pytest.raises(InvalidSuite):
            image_metrics(broken)


@pytest.mark.parametrize(
    "module",
    [
        "evaluation.metrics.registry",
        "evaluation.headline",
        "evaluation.anchors",
        "evaluation.aggregate",
        "evaluation.statistics.bootstrap",
        "evaluation.images",
        "evaluation.cli",
    ],
)
def test_the_light_half_loads_no_torch(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'torch', 'torchvision', 'skimage'}} & sys.modules.keys()))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
