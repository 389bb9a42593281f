"""Bad input through the command line: a named error that says which file and what was expected, exit status 2."""

import json
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.backbones.registry import backbone_digest
from evaluation.errors import EvaluationError, InvalidImage, InvalidTensor
from evaluation.images import write_png
from evaluation.pairs import PAIRS_FILE, read_pairs
from evaluation.scoring import Scorer
from evaluation.spec import LPIPS
from tests.evaluation.command_line import Answer, call, sign_small_suite, small_suite

Score = Callable[..., Answer]
RGB = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.fixture
def outputs(dataset: Path, tmp_path: Path) -> Path:
    """A folder of valid outputs."""
    folder = tmp_path / "outputs"
    folder.mkdir()
    for pair in read_pairs(dataset):
        (folder / f"{pair.id}.png").write_bytes(pair.content.read_bytes())
    return folder


@pytest.fixture
def score(dataset: Path, outputs: Path, tmp_path: Path) -> Score:
    """Return a function that scores a folder under a small signed suite."""
    suite, key = sign_small_suite(tmp_path)

    def run(folder: Path = outputs, *options: object) -> Answer:
        return call("score", folder, "--pairs", dataset, "--suite", suite, "--trust", key, *options)

    return run


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    image.save(buffer, format=kind)
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG whose header promises a picture of 30,000 x 30,000 pixels."""
    fields = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + b"IHDR" + fields + struct.pack(">I", zlib.crc32(b"IHDR" + fields))
    return b"\x89PNG\r\n\x1a\n" + header + b"\0\0\0\0IEND\xaeB`\x82"


def animated() -> bytes:
    buffer = BytesIO()
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    frames[0].save(buffer, format="PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


BAD_PICTURES = {
    "wrong size": (encoded(Image.fromarray(RGB[:32])), "is 64 x 32 pixels, expected 64 x 64"),
    "gray": (encoded(Image.fromarray(RGB[..., 0])), "8-bit grayscale PNG, expected 8-bit RGB"),
    "alpha": (encoded(Image.fromarray(RGB).convert("RGBA")), "8-bit RGBA PNG, expected 8-bit RGB"),
    "palette": (encoded(Image.fromarray(RGB).quantize(256)), "8-bit palette PNG, expected 8-bit RGB"),
    "16 bits": (
        encoded(Image.fromarray(RGB[..., 0].astype(np.uint16) * 257)),
        "16-bit grayscale PNG, expected 8-bit RGB",
    ),
    "CMYK JPEG": (encoded(Image.fromarray(RGB).convert("CMYK"), "JPEG"), "is not a PNG file"),
    "truncated": (encoded(Image.fromarray(RGB))[:-100], "is cut off"),
    "bytes behind": (encoded(Image.fromarray(RGB)) + b"more", "something follows the picture"),
    "hole inside": (encoded(Image.fromarray(RGB)).replace(b"IDAT", b"IDAX"), "is damaged"),
    "bomb": (bomb(), "is 30000 x 30000 pixels, expected 1 to 4096"),
    "animated": (animated(), "is animated"),
    "empty": (b"", "is not a PNG file"),
}


@pytest.mark.parametrize("kind", BAD_PICTURES)
def test_a_bad_picture_is_refused_by_name_and_counts_as_invalid(
    kind: str, score: Score, outputs: Path, tmp_path: Path
) -> None:
    data, words = BAD_PICTURES[kind]
    (outputs / "p003.png").write_bytes(data)
    answer = score(outputs, "--json")
    assert answer.code == 2
    (line,) = answer.err.splitlines()
    assert line.startswith("INVALID_IMAGE: p003.png: p003.png ")
    assert words in line
    pair = next(pair for pair in json.loads(answer.out)["pairs"] if pair["pair_id"] == "p003")
    assert pair["values"] == {}
    assert words in pair["invalid"]
    assert (outputs / "p003.png").read_bytes() == data


def test_a_folder_instead_of_a_picture_is_refused(score: Score, outputs: Path) -> None:
    (outputs / "p003.png").unlink()
    (outputs / "p003.png").mkdir()
    answer = score()
    assert answer.code == 2
    assert "INVALID_IMAGE: p003.png: p003.png cannot be read" in answer.err


def test_a_second_file_that_differs_in_case_is_named(score: Score, outputs: Path) -> None:
    (outputs / "p003.PNG").write_bytes((outputs / "p003.png").read_bytes())
    answer = score()
    assert answer.code == 2
    assert answer.err == (
        "UNKNOWN_OUTPUT: p003.PNG: Not scored: expected is exactly <pair id>.png, in lower case.\n"
    )


@pytest.mark.parametrize("kind", ["none", "empty", "file"])
def test_outputs_that_are_no_folder_of_pictures_are_refused(kind: str, score: Score, tmp_path: Path) -> None:
    folder = tmp_path / kind
    if kind == "empty":
        folder.mkdir()
    elif kind == "file":
        folder.write_text("")
    answer = score(folder)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"INVALID_IMAGE: {folder} ")
    assert "Name the folder that holds <pair id>.png." in answer.err


def test_a_folder_that_answers_no_pair_still_gets_its_page(
    score: Score, outputs: Path, tmp_path: Path
) -> None:
    for path in outputs.iterdir():
        path.rename(path.with_name(f"x{path.name}"))
    answer = score(outputs, "--html", tmp_path / "page.html")
    assert answer.code == 2
    assert answer.err.count("MISSING_OUTPUT") == 6
    assert answer.err.count("UNKNOWN_OUTPUT") == 6
    assert "Not ranked: 6 of 6 pairs" in answer.out
    assert "xp000.png" in (tmp_path / "page.html").read_text()


def test_a_folder_without_discriminators_is_refused(score: Score, outputs: Path, tmp_path: Path) -> None:
    answer = score(outputs, "--discriminators", tmp_path)
    assert answer.code == 2
    assert answer.err.startswith("WEIGHTS_MISSING: ")


def change_pairs(dataset: Path, change: Callable[[dict[str, list[dict[str, str]]]], None]) -> None:
    table = json.loads((dataset / PAIRS_FILE).read_text())
    change(table)
    (dataset / PAIRS_FILE).write_text(json.dumps(table))


def test_doubled_pair_ids_are_refused(score: Score, dataset: Path) -> None:
    change_pairs(dataset, lambda table: table["pairs"].append(table["pairs"][1]))
    answer = score()
    assert answer.code == 2
    assert answer.err == "INVALID_PAIRS: Pair ids occur twice: p001.\n"


def test_a_pair_that_leaves_the_dataset_folder_is_refused(score: Score, dataset: Path) -> None:
    change_pairs(dataset, lambda table: table["pairs"][0].update(content="../secret.png"))
    answer = score()
    assert answer.code == 2
    assert answer.err == "INVALID_PAIRS: Pair p000: '../secret.png' leaves the dataset folder.\n"


def test_a_missing_or_broken_dataset_is_refused(score: Score, dataset: Path) -> None:
    (dataset / "style" / "public1.png").unlink()
    answer = score()
    assert answer.code == 2
    assert "INVALID_PAIRS: Pair p001: public1.png cannot be read" in answer.err
    for text in ("", "{}", '{"schema": 2, "size": 64, "pairs": []}'):
        (dataset / PAIRS_FILE).write_text(text)
        answer = score()
        assert answer.code == 2
        assert answer.err.startswith("INVALID_PAIRS: ")
        assert "pairs.json" in answer.err


def test_an_image_of_the_dataset_is_never_resized(score: Score, dataset: Path) -> None:
    write_png(RGB[:32, :32], dataset / "content" / "public0.png")
    answer = score()
    assert answer.code == 2
    assert answer.err.startswith("INVALID_IMAGE: public0.png is 32 x 32 pixels, expected 64 x 64.")


def test_a_dataset_of_another_size_than_the_suites_is_refused(dataset: Path, outputs: Path) -> None:
    answer = call("score", outputs, "--pairs", dataset, "--suite", "sts-demo-1")
    assert answer.code == 2
    assert "is 64 x 64 pixels, expected 256 x 256" in answer.err


@pytest.mark.parametrize(
    "array",
    [
        np.full((64, 64, 3), np.nan),
        np.full((64, 64, 3), 0.5, np.float32),
        RGB.astype(np.int64),
        RGB[..., :1],
        RGB[..., 0],
        np.concatenate([RGB, RGB], axis=0),
        RGB[None],
        RGB.transpose(2, 0, 1),
    ],
    ids=["NaN", "float", "int64", "one channel", "gray", "too high", "batch", "channels first"],
)
def test_arrays_of_another_kind_are_refused_by_the_scorer(dataset: Path, array: np.ndarray) -> None:
    scorer = Scorer(small_suite(), read_pairs(dataset, "public"))
    with pytest.raises(InvalidImage, match=r"p000 is .* expected uint8 of shape \(64, 64, 3\)"):
        scorer.score_pair("p000", array)


def test_an_impossible_time_is_refused(dataset: Path) -> None:
    scorer = Scorer(small_suite(), read_pairs(dataset, "public"))
    with pytest.raises(InvalidTensor, match="seconds is nan"):
        scorer.score_pair("p000", RGB, float("nan"))


def test_an_unknown_suite_is_refused_with_the_known_ones(outputs: Path, dataset: Path) -> None:
    answer = call("score", outputs, "--pairs", dataset, "--suite", "sts-99")
    assert answer.code == 2
    assert "INVALID_SUITE: There is no metric suite 'sts-99'. Known suites:" in answer.err


def test_a_changed_suite_file_is_refused(dataset: Path, outputs: Path, tmp_path: Path) -> None:
    suite, key = sign_small_suite(tmp_path)
    suite.write_text(suite.read_text().replace('"style_weight": 0.5', '"style_weight": 0.9'))
    for command in (
        ("score", outputs, "--pairs", dataset, "--suite", suite, "--trust", key),
        ("suites", "verify", suite, "--trust", key),
    ):
        answer = call(*command)
        assert answer.code == 2
        assert "INVALID_SUITE: sts-test-1.json: The suite was changed after it was signed" in answer.err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"suite": {}, "signature": "???"}'])
def test_a_file_that_is_no_signed_suite_is_refused(
    text: str, dataset: Path, outputs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "suite.json"
    file.write_text(text)
    answer = call("score", outputs, "--pairs", dataset, "--suite", file)
    assert answer.code == 2
    assert "INVALID_SUITE: suite.json: This is no signed suite" in answer.err


def test_a_trusted_key_that_is_none_is_refused(dataset: Path, outputs: Path, tmp_path: Path) -> None:
    suite, _ = sign_small_suite(tmp_path)
    for name, words in (("none.pem", "none.pem cannot be read"), (suite.name, "A public key cannot be read")):
        answer = call("score", outputs, "--pairs", dataset, "--suite", suite, "--trust", tmp_path / name)
        assert answer.code == 2
        assert words in answer.err


def test_missing_and_wrong_weights_are_told_apart(
    dataset: Path, outputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "weights"
    folder.mkdir()
    networks = {LPIPS: backbone_digest(LPIPS)}
    suite, key = sign_small_suite(tmp_path, columns=("lpips",), networks=networks)
    command = ("score", outputs, "--pairs", dataset, "--suite", suite, "--trust", key, "--weights", folder)
    answer = call(*command)
    assert answer.code == 2
    assert answer.err.startswith("WEIGHTS_MISSING: ")
    assert "python -m evaluation weights fetch" in answer.err
    name = answer.err.split("weight file ")[1].split()[0]
    (folder / name).write_bytes(b"other weights")
    answer = call(*command)
    assert answer.code == 2
    assert answer.err.startswith("WEIGHTS_CORRUPT: ")
    assert name in answer.err


def test_every_error_has_a_code_of_its_own_and_a_message() -> None:
    kinds = [kind for kind in EvaluationError.__subclasses__() if kind.__module__ == "evaluation.errors"]
    assert len({kind.code for kind in kinds}) == len(kinds)
    assert all((kind.__doc__ or "").strip().endswith(".") for kind in kinds)
