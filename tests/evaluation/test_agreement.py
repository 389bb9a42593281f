"""Robustness views: other ways to sum up give the orders worked out by hand, and tau says how near they are."""

import pytest

from evaluation.errors import InvalidSuite, InvalidTensor
from evaluation.statistics.agreement import View, robustness_views

MEANS = {
    "headline": [0.6, 0.5, 0.4, 0.1],
    "content": [0.6, 0.5, 0.4, 1.0],
    "style": [0.6, 0.5, 0.4, 0.4],
    "ssim": [0.9, 0.8, 0.7, 0.1],  # higher is better: ranks 1 2 3 4
    "gram": [0.1, 0.2, 0.3, 0.4],  # lower is better: ranks 1 2 3 4
    "perceptual": [0.9, 0.5, 0.4, 0.3],  # ranks 4 3 2 1
}


def views(metrics: list[str], **changes: list[float]) -> dict[str, View]:
    return {view.name: view for view in robustness_views(MEANS | changes, metrics)}


def test_each_view_has_the_order_worked_out_by_hand() -> None:
    found = views(["ssim", "gram", "perceptual"])
    assert list(found) == ["headline", "mean rank", "median rank", "arithmetic"]
    assert found["headline"].ranks == (1, 2, 3, 4)
    assert found["mean rank"].ranks == (1, 2, 3, 4)  # 2, 7/3, 8/3, 3
    assert found["median rank"].ranks == (1, 2, 3, 4)
    assert found["arithmetic"].ranks == (2, 3, 4, 1)  # .6, .5, .4, .7


def test_tau_tells_agreement_from_reversal() -> None:
    found = views(["perceptual"])
    assert found["headline"].tau == pytest.approx(1)
    assert found["mean rank"].tau == pytest.approx(-1)
    assert found["arithmetic"].tau == pytest.approx(0)  # 3 pairs agree, 3 do not


def test_one_odd_metric_moves_the_mean_rank_but_not_the_median_rank() -> None:
    found = views(["ssim", "gram", "perceptual"], ssim=[0.9, 0.8, 0.7, 0.6], perceptual=[9, 1, 2, 3])
    assert found["mean rank"].ranks == (2, 1, 3, 4)
    assert found["median rank"].ranks == (1, 2, 3, 4)


def test_ties_share_the_mean_rank_and_an_order_of_ties_has_no_tau() -> None:
    found = views(["ssim"], ssim=[0.5, 0.5, 0.4, 0.3])
    assert found["mean rank"].ranks == (1.5, 1.5, 3, 4)
    assert views(["ssim"], ssim=[0.5] * 4)["mean rank"].tau is None


def test_a_single_entry_is_first_everywhere_without_a_tau() -> None:
    found = robustness_views({name: column[:1] for name, column in MEANS.items()}, ["gram"])
    assert {view.ranks for view in found} == {(1.0,)}
    assert {view.tau for view in found} == {None}


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InvalidSuite, match="beauty"):
        robustness_views(MEANS, ["beauty"])
    with pytest.raises(InvalidSuite, match="mean_std"):
        robustness_views(MEANS, ["mean_std"])
    with pytest.raises(InvalidSuite, match="style"):
        robustness_views({"headline": [1.0], "content": [1.0], "gram": [1.0]}, ["gram"])
    for column in ([0.1, 0.2], [float("nan")] * 4, []):
        with pytest.raises(InvalidTensor):
            robustness_views(MEANS | {"gram": column}, ["gram"])
    with pytest.raises(InvalidTensor, match="at least one metric"):
        robustness_views(MEANS, [])
