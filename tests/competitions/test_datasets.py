"""Importing datasets: whole or not at all, the same content once, nothing resized."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from competitions.errors import InvalidDataset, InvalidInput
from competitions.models import Artifact, DatasetVersion, ImagePair, Phase
from competitions.services.competitions import PhasePlan, create_phase
from competitions.services.datasets import import_dataset
from evaluation.spec import load_suite
from tests.conftest import write_dataset

pytestmark = pytest.mark.django_db


def test_a_folder_becomes_a_version_with_its_pairs(dataset: Path) -> None:
    version = import_dataset(folder=dataset, slug="waves", title="Waves")
    assert (version.number, version.size, version.pairs.count()) == (1, 64, 6)
    assert version.pairs.filter(split="hidden").count() == 4
    assert Artifact.objects.filter(kind="image").count() == 2 * 2 + 2 + 2


def test_the_same_content_is_the_same_version_and_other_content_the_next(
    dataset: Path, tmp_path: Path
) -> None:
    first = import_dataset(folder=dataset, slug="waves", title="Waves")
    again = import_dataset(folder=dataset, slug="waves", title="Waves")
    other = import_dataset(folder=write_dataset(tmp_path / "more", n_public=3), slug="waves", title="Waves")
    assert first == again
    assert (other.dataset, other.number) == (first.dataset, 2)


@pytest.mark.parametrize("damage", ["missing image", "wrong size", "grey image", "unknown key", "not json"])
def test_a_broken_folder_is_refused_by_name_and_leaves_nothing(dataset: Path, damage: str) -> None:
    image, pairs = dataset / "content" / "hidden0.png", dataset / "pairs.json"
    if damage == "missing image":
        image.unlink()
    elif damage == "wrong size":
        Image.new("RGB", (65, 64)).save(image)
    elif damage == "grey image":
        Image.new("L", (64, 64)).save(image)
    elif damage == "unknown key":
        pairs.write_text(json.dumps(json.loads(pairs.read_text()) | {"secret": 1}))
    else:
        pairs.write_text("{")
    with pytest.raises(InvalidDataset) as refusal:
        import_dataset(folder=dataset, slug="waves", title="Waves")
    named = "pairs.json" if damage in ("unknown key", "not json") else "hidden0.png"
    assert named in refusal.value.message
    assert not DatasetVersion.objects.exists()
    assert not ImagePair.objects.exists()


def test_a_phase_needs_images_of_its_suites_size(phase: Phase) -> None:
    plan = PhasePlan("second", "Second", phase.opens_at, phase.closes_at)
    with pytest.raises(InvalidInput, match="256 px; the dataset has 64 px"):
        create_phase(
            competition=phase.competition,
            plan=plan,
            dataset_version=phase.dataset_version,
            suite=load_suite("sts-demo-1"),
        )


def rewrite(folder: Path, change: Callable[[list[dict[str, str]]], None]) -> None:
    """Change the rows of a dataset's pairs file."""
    path = folder / "pairs.json"
    content = json.loads(path.read_text())
    change(content["pairs"])
    path.write_text(json.dumps(content))


def publish_all(rows: list[dict[str, str]]) -> None:
    for row in rows:
        row["split"] = "public"


def move_one_style(rows: list[dict[str, str]]) -> None:
    rows[4]["culture"] = "elsewhere"


def repeat_one_pair(rows: list[dict[str, str]]) -> None:
    rows.append(rows[3] | {"id": "twin"})


@pytest.mark.parametrize(
    ("change", "told", "fix"),
    [
        (publish_all, "None of the 6 pairs is hidden", '"split": "hidden"'),
        (
            move_one_style,
            "Pairs p002 and p004 have the same style image, but one says culture 'culture-0'",
            "the same culture",
        ),
        (repeat_one_pair, "Pairs p003 and twin have the same content image", "Leave out one"),
    ],
)
def test_pairs_that_cannot_be_scored_are_refused_by_name(
    dataset: Path, change: Callable[[list[dict[str, str]]], None], told: str, fix: str
) -> None:
    rewrite(dataset, change)
    with pytest.raises(InvalidDataset, match=told) as refusal:
        import_dataset(folder=dataset, slug="waves", title="Waves")
    assert fix in refusal.value.fix
    assert not DatasetVersion.objects.exists()


def test_equal_images_under_two_names_are_one_image(dataset: Path) -> None:
    copy = dataset / "style" / "copy.png"
    copy.write_bytes((dataset / "style" / "hidden0.png").read_bytes())
    rewrite(dataset, lambda rows: rows[4].update(style="style/copy.png", culture="elsewhere"))
    with pytest.raises(InvalidDataset, match="Pairs p002 and p004 have the same style image"):
        import_dataset(folder=dataset, slug="waves", title="Waves")
