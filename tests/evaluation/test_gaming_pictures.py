"""Flags that look at pictures: each is raised by the trick it is named after, and by no honest transfer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from evaluation.backbones.oriented_pyramid import OrientedPyramid
from evaluation.controls import (
    add_noise,
    apply_control,
    blend,
    shuffle_patches,
    transfer_linear,
    transfer_mean_std,
)
from evaluation.demo.dataset import write_demo_dataset
from evaluation.errors import InvalidPairs, InvalidTensor
from evaluation.gaming.copies import Overlap, flag_copies, measure_overlap
from evaluation.gaming.flag import FLAGS, Flag
from evaluation.gaming.flags import Standing, review_outputs
from evaluation.gaming.indifference import flag_ignored_content, flag_ignored_style
from evaluation.gaming.quilting import flag_quilt, quilted_share
from evaluation.images import read_rgb
from evaluation.pairs import Pair, read_pairs
from evaluation.report import PairScore
from evaluation.statistics.design import design_of
from evaluation.training.tiny_vgg.transfers import transfer_gatys

SIZE = 96
Transfer = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Set:
    """Crossed pairs with their pictures."""

    pairs: tuple[Pair, ...]
    contents: Mapping[str, np.ndarray]
    styles: Mapping[str, np.ndarray]

    def outputs(self, transfer: Transfer) -> list[np.ndarray]:
        """Apply a transfer to every pair."""
        return [transfer(self.contents[p.content_sha256], self.styles[p.style_sha256]) for p in self.pairs]

    def style_names(self) -> list[str]:
        """Name the style image of each pair."""
        return [pair.style_sha256 for pair in self.pairs]

    def content_names(self) -> list[str]:
        """Name the content image of each pair."""
        return [pair.content_sha256 for pair in self.pairs]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Set:
    """Six photographs crossed with eight styles: the hidden demo pairs."""
    folder = tmp_path_factory.mktemp("demo")
    write_demo_dataset(folder, size=SIZE)
    hidden = sorted(read_pairs(folder, "hidden"), key=lambda pair: (pair.content, pair.style))
    return Set(
        tuple(hidden),
        {pair.content_sha256: read_rgb(pair.content) for pair in hidden},
        {pair.style_sha256: read_rgb(pair.style) for pair in hidden},
    )


@pytest.fixture(scope="module")
def crossed(whole: Set) -> Set:
    """Three of the photographs crossed with three of the styles."""
    contents, styles = list(whole.contents)[::2], list(whole.styles)[::3]
    pairs = tuple(p for p in whole.pairs if p.content_sha256 in contents and p.style_sha256 in styles)
    return Set(pairs, whole.contents, whole.styles)


def mix(weight: float, transfer: Transfer) -> Transfer:
    """Weaken a transfer: this share of it, the rest of the content image."""
    return lambda content, style: blend(content, transfer(content, style), weight)


def gatys(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Optimize a few steps through fixed filters; several tests look at the same outputs."""
    key = content.tobytes() + style.tobytes()
    if key not in _OPTIMIZED:
        _OPTIMIZED[key] = transfer_gatys(OrientedPyramid().requires_grad_(False), content, style, 8)
    return _OPTIMIZED[key]


_OPTIMIZED: dict[bytes, np.ndarray] = {}


def match_bands(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Match mean and deviation of every channel in every octave, as AdaIN does in every feature map."""
    result = np.zeros(content.shape)
    for ours, theirs in zip(bands(content), bands(style), strict=True):
        center, spread = ours.mean(axis=(0, 1)), ours.std(axis=(0, 1))
        result += (ours - center) / spread * theirs.std(axis=(0, 1)) + theirs.mean(axis=(0, 1))
    return np.clip(np.rint(result), 0, 255).astype(np.uint8)


def bands(image: np.ndarray) -> list[np.ndarray]:
    levels = [image.astype(np.float64)]
    levels += [gaussian_filter(levels[0], sigma, axes=(0, 1)) for sigma in (1, 2, 4, 8)]
    return [fine - coarse for fine, coarse in zip(levels[:-1], levels[1:], strict=True)] + [levels[-1]]


def control(name: str) -> Transfer:
    return lambda content, style: apply_control(name, content, style)


HONEST: dict[str, Transfer] = {
    "reinhard": control("reinhard"),
    "linear": control("linear"),
    "histogram": control("histogram"),
    "palette": control("palette"),
    "bands": match_bands,
    "gatys": gatys,
    "half a Reinhard": mix(0.5, transfer_mean_std),
    "half a Gatys": mix(0.5, gatys),
}


def raised(flags: tuple[Flag, ...]) -> list[str]:
    return [flag.code for flag in flags if flag.is_raised]


def copies(crossed: Set, transfer: Transfer, style_score: float = 0.0) -> tuple[Flag, ...]:
    overlaps = [
        measure_overlap(output, crossed.contents[pair.content_sha256], crossed.styles[pair.style_sha256])
        for pair, output in zip(crossed.pairs, crossed.outputs(transfer), strict=True)
    ]
    return flag_copies(overlaps, [style_score] * len(overlaps))


def quilts(crossed: Set, transfer: Transfer) -> Flag:
    outputs = crossed.outputs(transfer)
    styles = [crossed.styles[name] for name in crossed.style_names()]
    return flag_quilt([quilted_share(o, s, k) for k, (o, s) in enumerate(zip(outputs, styles, strict=True))])


def ignored(crossed: Set, transfer: Transfer) -> tuple[Flag, Flag]:
    columns = (crossed.outputs(transfer), crossed.style_names(), crossed.content_names())
    return flag_ignored_style(*columns, crossed.styles), flag_ignored_content(*columns, crossed.contents)


def brighter(content: np.ndarray, style: np.ndarray) -> np.ndarray:
    return np.rint(40 + 0.8 * content).astype(np.uint8)


@pytest.mark.parametrize(
    ("transfer", "code"),
    [
        (control("identity"), "COPY_CONTENT"),
        (brighter, "COPY_CONTENT"),
        (control("style_copy"), "COPY_STYLE"),
        (lambda content, style: transfer_linear(style, content), "COPY_STYLE"),
        (mix(0.3, control("style_copy")), "BLEND"),
        (control("blend"), "BLEND"),
        (mix(0.8, control("style_copy")), "BLEND"),
        (lambda content, style: blend(transfer_mean_std(content, style), style, 0.3), "BLEND"),
    ],
    ids=[
        "identity",
        "brighter",
        "style",
        "recolored style",
        "blend .3",
        "blend .5",
        "blend .8",
        "recolored blend",
    ],
)
def test_a_copy_raises_its_flag_and_no_other(crossed: Set, transfer: Transfer, code: str) -> None:
    flags = copies(crossed, transfer)
    assert raised(flags) == [code]
    (flag,) = (flag for flag in flags if flag.is_raised)
    assert f"of {len(crossed.pairs)} pairs" in flag.sentence


@pytest.mark.parametrize("name", HONEST)
def test_no_honest_transfer_is_called_a_copy_or_a_quilt(crossed: Set, name: str) -> None:
    assert raised(copies(crossed, HONEST[name])) == []
    assert not quilts(crossed, HONEST[name]).is_raised


def test_a_slight_change_with_a_style_score_is_no_copy(crossed: Set) -> None:
    weak = mix(0.1, transfer_mean_std)
    assert raised(copies(crossed, weak, style_score=0.01)) == ["COPY_CONTENT"]
    assert raised(copies(crossed, weak, style_score=0.03)) == []


def test_a_noisy_style_image_is_no_blend(crossed: Set) -> None:
    assert raised(copies(crossed, lambda content, style: add_noise(style, 0, 0.12))) == []


def test_a_flat_output_overlaps_with_nothing(crossed: Set) -> None:
    content, style = (next(iter(images.values())) for images in (crossed.contents, crossed.styles))
    assert measure_overlap(np.full_like(content, 7), content, style) == Overlap(0.0, 0.0, 0.0, 0.0)


def test_too_few_pairs_raise_nothing() -> None:
    copied = Overlap(1.0, 0.0, 0.9, 0.0)
    assert raised(flag_copies([copied] * 7, [0.0] * 7)) == []
    assert raised(flag_copies([copied] * 8, [0.0] * 8)) == ["COPY_CONTENT"]
    assert not flag_quilt([1.0] * 7).is_raised
    assert [flag_quilt([share] * 8).is_raised for share in (0.07, 0.09)] == [False, True]
    assert not flag_quilt([]).is_raised


def cut_and_paste(side: int) -> Transfer:
    """Rebuild the content image from the nearest squares of the style image, without any blending."""

    def transfer(content: np.ndarray, style: np.ndarray) -> np.ndarray:
        guide = transfer_mean_std(content, style).astype(np.float64)
        windows = np.lib.stride_tricks.sliding_window_view(style, (side, side), axis=(0, 1))[::4, ::4]
        pieces = np.moveaxis(windows, 2, -1).reshape(-1, side, side, 3)
        output = np.empty_like(content)
        for y in range(0, SIZE, side):
            for x in range(0, SIZE, side):
                errors = np.square(pieces - guide[y : y + side, x : x + side]).sum(axis=(1, 2, 3))
                output[y : y + side, x : x + side] = pieces[errors.argmin()]
        return output

    return transfer


@pytest.mark.parametrize(
    "transfer",
    [
        control("style_shuffle"),
        lambda content, style: np.roll(shuffle_patches(style, 1), (7, 5), axis=(0, 1)),
        cut_and_paste(16),
        cut_and_paste(24),
        lambda content, style: np.roll(style, (30, 20), axis=(0, 1)),
    ],
    ids=["shuffle", "shuffle off the grid", "pieces of 16", "pieces of 24", "moved style"],
)
def test_pieces_of_the_style_image_raise_quilt(crossed: Set, transfer: Transfer) -> None:
    assert quilts(crossed, transfer).is_raised


def test_a_flat_output_and_a_flat_style_hold_no_pieces(crossed: Set) -> None:
    style = next(iter(crossed.styles.values()))
    flat = np.full_like(style, 128)
    assert quilted_share(flat, style) == 0.0
    assert quilted_share(style, flat) == 0.0
    assert quilted_share(style, style) > 0.5


def test_an_output_that_is_the_same_for_all_styles_ignores_style(crossed: Set) -> None:
    own = next(iter(crossed.styles.values()))
    for transfer in (
        control("identity"),
        control("blur"),
        lambda content, _: transfer_mean_std(content, own),
    ):
        style, content = ignored(crossed, transfer)
        assert style.is_raised
        assert not content.is_raised


def test_random_styles_and_random_noise_ignore_style(whole: Set) -> None:
    rng = np.random.default_rng(0)
    own = list(whole.styles.values())

    def restyle(content: np.ndarray, style: np.ndarray) -> np.ndarray:
        return transfer_mean_std(content, own[rng.integers(len(own))])

    def disturb(content: np.ndarray, style: np.ndarray) -> np.ndarray:
        return np.clip(content + rng.normal(0, 20, content.shape), 0, 255).astype(np.uint8)

    for transfer in (restyle, disturb):
        style, content = ignored(whole, transfer)
        assert style.is_raised
        assert not content.is_raised


def test_outputs_that_follow_every_second_style_are_not_ignoring_it(whole: Set) -> None:
    own = next(iter(whole.styles.values()))
    followed = list(whole.styles.values())[::2]

    def sometimes(content: np.ndarray, style: np.ndarray) -> np.ndarray:
        return transfer_mean_std(content, style if any(style is one for one in followed) else own)

    flag, _ = ignored(whole, sometimes)
    assert 0.3 < flag.strength < flag.threshold
    assert not flag.is_raised


def test_an_output_that_is_the_same_for_all_contents_ignores_content(crossed: Set) -> None:
    for name in ("style_copy", "style_shuffle"):
        style, content = ignored(crossed, control(name))
        assert content.is_raised
        assert not style.is_raised


@pytest.mark.parametrize("name", HONEST)
def test_no_honest_transfer_ignores_its_images(crossed: Set, name: str) -> None:
    assert raised(ignored(crossed, HONEST[name])) == []


def test_a_very_weak_transfer_still_shows_its_style(crossed: Set) -> None:
    assert raised(ignored(crossed, mix(0.15, transfer_mean_std))) == []


def test_pairs_that_share_no_image_tell_nothing(crossed: Set) -> None:
    image = next(iter(crossed.contents.values()))
    flag = flag_ignored_style([image, image], ["a", "b"], ["c", "d"], {"a": image, "b": image})
    assert (flag.is_raised, flag.strength) == (False, 0.0)


def test_wrong_input_is_refused(crossed: Set) -> None:
    image = next(iter(crossed.contents.values()))
    with pytest.raises(InvalidTensor, match="uint8"):
        measure_overlap(image.astype(np.float64), image, image)
    with pytest.raises(InvalidTensor, match="1 overlaps and 0"):
        flag_copies([Overlap(0, 0, 0, 0)], [])
    with pytest.raises(InvalidTensor, match="at least 6"):
        quilted_share(image[:5], image)
    with pytest.raises(InvalidTensor, match="no image for b"):
        flag_ignored_style([image], ["b"], ["c"], {"a": image})
    with pytest.raises(InvalidTensor, match="columns of 1, 2 and 1"):
        flag_ignored_content([image], ["a"], ["b", "c"], {"a": image})


def reviewed(crossed: Set, transfer: Transfer, **values: float) -> tuple[Flag, ...]:
    outputs = {p.id: o for p, o in zip(crossed.pairs, crossed.outputs(transfer), strict=True)}
    scores = [PairScore(pair.id, {"style": 0.0, "headline": 0.0, **values}) for pair in crossed.pairs]
    return review_outputs(crossed.pairs, outputs, scores)


def test_a_review_looks_for_every_sign_it_has_the_data_for(crossed: Set) -> None:
    flags = reviewed(crossed, control("identity"), jitter_gain=0.0)
    without = {"MEMORIZES", "AUDIT_DISAGREES"}
    assert [flag.code for flag in flags] == [code for code in FLAGS if code not in without]
    assert raised(flags) == ["COPY_CONTENT", "IGNORES_STYLE"]
    assert raised(reviewed(crossed, control("style_copy"), style=1.0)) == [
        "COPY_STYLE",
        "QUILT",
        "IGNORES_CONTENT",
    ]
    assert raised(reviewed(crossed, match_bands, style=0.3, jitter_gain=0.001)) == []


def test_a_review_passes_over_invalid_pairs_and_refuses_an_empty_one(crossed: Set) -> None:
    outputs = {p.id: o for p, o in zip(crossed.pairs, crossed.outputs(control("identity")), strict=True)}
    scores = [PairScore(pair.id, {"style": 0.0}) for pair in crossed.pairs]
    scores[0] = PairScore(crossed.pairs[0].id, {}, invalid="WRONG_SIZE")
    flags = review_outputs(crossed.pairs, outputs, scores)
    assert f"of {len(crossed.pairs) - 1} pairs" in flags[0].sentence
    assert "of 5 pairs" in review_outputs(crossed.pairs, outputs, scores, most=5)[0].sentence
    with pytest.raises(InvalidPairs, match="nothing to review"):
        review_outputs(crossed.pairs, {}, scores)


def test_a_review_with_a_standing_asks_the_audit(crossed: Set) -> None:
    official = np.tile(np.linspace(0.0, 0.9, 10)[:, None], len(crossed.pairs))  # (E, P)
    audit = np.vstack([official[:-1], official[:1]])
    outputs = {p.id: o for p, o in zip(crossed.pairs, crossed.outputs(control("reinhard")), strict=True)}
    scores = [PairScore(pair.id, {"style": 0.2}) for pair in crossed.pairs]
    standing = Standing(official, audit, design_of(crossed.pairs), entry=9)
    assert raised(review_outputs(crossed.pairs, outputs, scores, standing=standing)) == ["AUDIT_DISAGREES"]
