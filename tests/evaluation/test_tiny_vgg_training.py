"""Training of tiny-vgg-1: split, distances, lessons, a tiny run that resumes, transfers, the study set."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from click.testing import CliRunner
from PIL import Image

from evaluation.backbones.tiny_vgg import TinyVGG, build
from evaluation.controls import CONTROLS
from evaluation.errors import InvalidImage, InvalidTensor
from evaluation.training.tiny_vgg.__main__ import SHIPPED, cli
from evaluation.training.tiny_vgg.balance import balance_taps
from evaluation.training.tiny_vgg.lessons import (
    Lesson,
    choose_crops,
    control_methods,
    draw_group,
    prepare_lessons,
    principal_basis,
    read_lessons,
)
from evaluation.training.tiny_vgg.pictures import Collection, is_held_out, read_collection, to_tensor
from evaluation.training.tiny_vgg.relations import group_distances, relation_loss
from evaluation.training.tiny_vgg.study import build_study, measure_study, read_distances, save_distances
from evaluation.training.tiny_vgg.teacher import (
    DISTILLED_FILE,
    EXACT_FILE,
    INVERTOR_LAYERS,
    INVERTORS_FILE,
    WIDTHS,
    Distilled,
    Encoder,
    Teacher,
)
from evaluation.training.tiny_vgg.train import LOG_FILE, RESULT_FILE, Recipe, train
from evaluation.training.tiny_vgg.transfers import (
    transfer_adain,
    transfer_gatys,
    transfer_wct,
    whiten_and_color,
)
from evaluation.training.tiny_vgg.weights import load_student

FEW = {name: CONTROLS[name] for name in ("blend", "blur", "reinhard")}


def picture(seed: int, side: int = 64) -> np.ndarray:
    generator = np.random.default_rng(seed)
    small = Image.fromarray(generator.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    grain = generator.normal(0, 10, (side, side, 3))
    return np.clip(np.asarray(small.resize((side, side))) + grain, 0, 255).astype(np.uint8)


def collection(side: int = 64) -> Collection:
    contents = {f"c{k}.png": picture(k, side) for k in range(3)}
    return Collection(contents, {f"s{k}.png": picture(50 + k, side) for k in range(3)})


def teacher(images: torch.Tensor) -> dict[str, torch.Tensor]:
    """Five taps of a fixed random network of eight channels."""
    generator, taps, maps = torch.Generator().manual_seed(7), {}, images
    for tap in ("r11", "r21", "r31", "r41", "r51"):
        weight = torch.randn(8, maps.shape[1], 3, 3, generator=generator) / (3 * maps.shape[1] ** 0.5)
        maps = F.relu(F.conv2d(maps, weight, padding=1))
        taps[tap] = maps
        maps = F.max_pool2d(maps, 2)
    return taps


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> list[Lesson]:
    folder = tmp_path_factory.mktemp("lessons")
    prepare_lessons(folder, collection(), FEW, teacher, groups=range(2), seed=0)
    return read_lessons(folder)


def test_the_split_depends_on_names_alone_and_holds_out_a_fifth() -> None:
    held = [is_held_out(f"picture-{k}.jpg") for k in range(1000)]
    assert 150 < sum(held) < 250
    assert held == [is_held_out(f"picture-{k}.jpg") for k in range(1000)]


def test_no_picture_is_on_both_sides(tmp_path: Path) -> None:
    for kind in ("content", "style/school"):
        (tmp_path / kind).mkdir(parents=True)
        for k in range(30):
            Image.fromarray(picture(k, 16)).save(tmp_path / kind / f"{kind[0]}{k}.png")
    ours, theirs = (read_collection(tmp_path, held_out=side, size=8) for side in (False, True))
    assert not set(ours.contents) & set(theirs.contents)
    assert len(ours.styles) + len(theirs.styles) == 30
    assert {image.shape for image in ours.styles.values()} == {(8, 8, 3)}


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidImage, match="at least two"):
        read_collection(tmp_path, held_out=False)


def test_distances_of_a_group_equal_naive_ones() -> None:
    maps = torch.rand(3, 4, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = group_distances(maps)
    assert found.shape == (3, 4, 4)
    flat = maps.flatten(2)
    grams = [row @ row.T / 30 for row in flat]
    moments = [torch.cat([row.mean(1), (row.var(1) + 1e-5).sqrt()]) for row in flat]
    assert found[0, 0, 2].item() == pytest.approx((grams[0] - grams[2]).square().sum().item())
    assert found[1, 1, 2].item() == pytest.approx((moments[1] - moments[2]).square().sum().item())
    assert found[2, 0, 1].item() == pytest.approx((maps[0] - maps[1]).square().sum().item() / 30)
    assert found[0, 1, 3].item() == pytest.approx(grams[1].square().sum().item())
    assert (found.diagonal(dim1=1, dim2=2) == 0).all()


def test_equal_relations_cost_nothing_and_offsets_absorb_a_scale() -> None:
    ours = group_distances(torch.rand(5, 4, 6, 6, generator=torch.Generator().manual_seed(0)))
    none, floors = torch.zeros(3), torch.full((3,), 1e-9)
    assert relation_loss(ours, ours, floors, none).item() == 0
    assert relation_loss(2 * ours, ours, floors, none).item() > 0.5
    assert relation_loss(2 * ours, ours, floors, none + np.log(2)).item() < 1e-4
    assert relation_loss(ours.flip(1).flip(2), ours, floors, none).item() > 0.1


def test_lessons_are_repeatable_and_written_once(tmp_path: Path, lessons: list[Lesson]) -> None:
    for groups in (range(1), range(2)):
        prepare_lessons(tmp_path, collection(), FEW, teacher, groups=groups, seed=0)
    for ours, theirs in zip(read_lessons(tmp_path), lessons, strict=True):
        assert torch.equal(ours.images, theirs.images)
        assert torch.equal(ours.distances["r31"], theirs.distances["r31"])
        assert torch.equal(ours.maps["r41"], theirs.maps["r41"])
    assert not torch.equal(lessons[0].images, lessons[1].images)


def test_maps_are_the_teachers_features_in_a_basis_that_keeps_lengths(lessons: list[Lesson]) -> None:
    images = lessons[0].images.float() / 255
    full, kept = teacher(images)["r41"], lessons[0].maps["r41"].float()
    torch.testing.assert_close(kept.square().sum(1), full.square().sum(1), rtol=0.01, atol=1e-3)


def test_the_basis_takes_the_strongest_directions() -> None:
    generator = torch.Generator().manual_seed(0)
    strengths = torch.cat([torch.full((24,), 3.0), torch.full((40,), 0.1)]).view(1, 64, 1, 1)
    maps = torch.randn(2, 64, 20, 20, generator=generator) * strengths
    basis = principal_basis([{"r11": maps}])["r11"]
    assert basis.shape == (24, 64)
    torch.testing.assert_close(basis @ basis.T, torch.eye(24), rtol=0, atol=1e-5)
    assert basis[:, 24:].abs().max() < 0.1


def test_chosen_crops_keep_the_pair_and_their_relations(lessons: list[Lesson]) -> None:
    whole = lessons[0]
    part = choose_crops(whole, 4, torch.Generator().manual_seed(1))
    assert torch.equal(part.images[:2], whole.images[:2])
    measured = group_distances(teacher(part.images.float() / 255)["r31"])
    torch.testing.assert_close(part.distances["r31"], measured, rtol=1e-3, atol=1e-3)


def test_every_drawn_control_fits_a_group() -> None:
    group = draw_group(collection(), control_methods(), (0, 0))
    assert len(group) == 4 + len(control_methods())
    assert {image.shape for image in group} == {(96, 96, 3)}


def test_a_tiny_run_lowers_the_loss(tmp_path: Path, lessons: list[Lesson]) -> None:
    train(lessons[:1], tmp_path, Recipe(steps=8, crops=4, rate=0.02))
    losses = [json.loads(line)["loss"] for line in (tmp_path / LOG_FILE).read_text().splitlines()]
    assert len(losses) == 8
    assert min(losses[-2:]) < 0.9 * losses[0]


def test_a_run_that_stopped_goes_on_to_equal_bits(tmp_path: Path, lessons: list[Lesson]) -> None:
    recipe = Recipe(steps=4, crops=3, save_every=2)
    whole = train(lessons, tmp_path / "whole", recipe).read_bytes()
    train(lessons, tmp_path / "parts", recipe, until=2)
    with (tmp_path / "parts" / LOG_FILE).open("a") as log:
        log.write('{"step": 2, "note": "stopped before it was saved"}\n')
    assert train(lessons, tmp_path / "parts", recipe).read_bytes() == whole
    logs = [(tmp_path / name / LOG_FILE).read_text() for name in ("whole", "parts")]
    assert logs[0] == logs[1]


def test_balancing_evens_out_the_taps_and_changes_nothing_else(lessons: list[Lesson]) -> None:
    torch.manual_seed(0)
    network, images = TinyVGG(), lessons[0].images.float() / 255
    balanced = build(balance_taps(network.state_dict(), [images]))
    for tap, maps in balanced(images).items():
        flat = maps.flatten(2)
        assert (flat @ flat.transpose(1, 2) / flat.shape[2]).square().mean().item() == pytest.approx(
            1, rel=1e-3
        )
        before = network(images)[tap]
        torch.testing.assert_close(maps / maps.mean(), before / before.mean(), rtol=1e-3, atol=1e-3)


def test_the_commands_prepare_and_train(tmp_path: Path, weights: Path) -> None:
    for kind in ("content", "style"):
        (tmp_path / "images" / kind).mkdir(parents=True)
        for k in range(4):
            Image.fromarray(picture(k)).save(tmp_path / "images" / kind / f"{k}.png")
    lessons, run = tmp_path / "lessons", tmp_path / "run"
    prepare = ["prepare", str(tmp_path / "images"), str(weights), str(lessons), "--groups", "1"]
    for arguments in (prepare, ["train", str(lessons), str(run), "--steps", "1"]):
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    assert load_student(run / RESULT_FILE)(to_tensor([picture(0)]))["r51"].shape == (1, 128, 4, 4)
    assert SHIPPED.is_file()


def test_training_on_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTensor, match="no lessons"):
        train([], tmp_path, Recipe())


def test_gatys_comes_nearer_to_the_style() -> None:
    content, style = picture(0, 32), picture(1, 32)

    def gap(image: np.ndarray) -> float:
        taps = [teacher(to_tensor([one]))["r21"].flatten(2) for one in (image, style)]
        ours, theirs = (flat @ flat.transpose(1, 2) / flat.shape[2] for flat in taps)
        return float((ours - theirs).square().sum())

    few, many = (transfer_gatys(teacher, content, style, steps) for steps in (2, 20))
    assert gap(content) > gap(few) > gap(many)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weight files with the names and shapes of the real ones, but random."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    torch.save(Encoder(WIDTHS, (3, 1)).state_dict(), folder / EXACT_FILE)
    torch.save(Distilled().state_dict(), folder / DISTILLED_FILE)
    decoders = {1: (64, 3), 2: (128, 64, 64, 3), 3: (256, 128, 128, 64, 64, 3)}
    invertors = {}
    for level, widths in decoders.items():
        for place, i, o in zip(INVERTOR_LAYERS[level], widths[:-1], widths[1:], strict=True):
            invertors[f"l{level}.{place}.weight"] = torch.randn(o, i, 3, 3) / (3 * i**0.5)
            invertors[f"l{level}.{place}.bias"] = torch.full((o,), 0.2)
    torch.save(invertors, folder / INVERTORS_FILE)
    return folder


def test_the_teacher_has_vgg19s_widths_and_its_decoders_give_pictures_back(weights: Path) -> None:
    network = Teacher(weights)
    taps = network(to_tensor([picture(0)]))
    shapes = [tuple(maps.shape[1:]) for maps in taps.values()]
    assert shapes == [(width, 64 >> k, 64 >> k) for k, width in enumerate(WIDTHS)]
    for level in (1, 2, 3):
        assert network.invert(level, taps[f"r{level}1"]).shape == (1, 3, 64, 64)


def test_transfers_at_strength_zero_are_plain_reconstructions(weights: Path) -> None:
    network, content = Teacher(weights), picture(0)
    plain = to_tensor([content])
    inverted = network.invert(3, network.exact(plain)["r31"])
    ours = to_tensor([transfer_adain(network, content, picture(1), 0.0)])
    assert (ours - inverted.clamp(0, 1)).abs().max() < 0.01
    none, full = (transfer_wct(network, content, picture(1), strength) for strength in (0.0, 1.0))
    assert (none != full).any()
    assert (none == transfer_wct(network, content, picture(2), 0.0)).all()


def test_whitening_and_coloring_meets_mean_and_covariance() -> None:
    generator = torch.Generator().manual_seed(0)
    maps, style = (torch.randn(1, 5, 20, 20, generator=generator) for _ in range(2))
    style = torch.einsum("ij,njhw->nihw", torch.randn(5, 5, generator=generator), style) + 3
    moved = whiten_and_color(maps, style).flatten(2)[0]
    torch.testing.assert_close(moved.mean(1), style.flatten(2)[0].mean(1), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(moved.cov(), style.flatten(2)[0].cov(), rtol=1e-2, atol=1e-2)


def test_a_study_measures_what_it_built(tmp_path: Path) -> None:
    methods = {"identity": CONTROLS["identity"], "style_copy": CONTROLS["style_copy"], **FEW}
    build_study(tmp_path / "outputs", collection(), methods)
    measured = measure_study(tmp_path / "outputs", teacher, list(methods))
    assert measured.content.shape == (9, 5)
    assert (measured.content[:, 0] == 0).all()
    assert (measured.gram[:, 1] == 0).all()
    assert (measured.gram[:, 0] == measured.gram_anchor).all()
    assert (measured.content_anchor <= measured.content[:, 1]).all()
    assert (measured.content[:, 2:] > 0).all()
    save_distances(measured, list(methods), tmp_path / "reference.json")
    again = read_distances(tmp_path / "reference.json", list(methods))
    assert again is not None
    assert (again.mean_std == measured.mean_std).all()
    assert read_distances(tmp_path / "reference.json", ["identity"]) is None
