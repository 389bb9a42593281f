"""Import dataset folders as immutable versions."""

import json
from pathlib import Path

from django.db import transaction

from competitions.errors import InvalidDataset
from competitions.models import Artifact, Dataset, DatasetVersion, ImagePair
from competitions.services.artifacts import store_path
from evaluation.errors import EvaluationError
from evaluation.images import read_rgb
from evaluation.pairs import PAIRS_FILE, Pair, dataset_digest, read_pairs


@transaction.atomic
def import_dataset(*, folder: Path, slug: str, title: str, credits: str = "") -> DatasetVersion:
    """Import a dataset folder (`pairs.json` beside its images); the same content again returns the same version.

    Raises:
        InvalidDataset: the pairs file or an image is wrong, or no score could be made; nothing is kept then.
    """
    try:
        pairs = read_pairs(folder)
        size = int(json.loads((folder / PAIRS_FILE).read_text(encoding="utf-8"))["size"])
        for path in {path for pair in pairs for path in (pair.content, pair.style)}:
            read_rgb(path, size)
    except EvaluationError as error:
        raise InvalidDataset(error.message, fix=error.fix) from error
    _check_can_be_scored(pairs)
    digest = dataset_digest(pairs)
    known = DatasetVersion.objects.filter(digest=digest).first()
    if known is not None:
        return known
    dataset = Dataset.objects.filter(slug=slug).first() or _create_dataset(slug, title)
    version = DatasetVersion(
        dataset=dataset, number=dataset.versions.count() + 1, digest=digest, size=size, credits=credits
    )
    version.full_clean()
    version.save()
    _store_pairs(version, pairs)
    return version


def _check_can_be_scored(pairs: tuple[Pair, ...]) -> None:
    if not any(pair.split == ImagePair.Split.HIDDEN for pair in pairs):
        raise InvalidDataset(
            f"None of the {len(pairs)} pairs is hidden, and scores come from hidden pairs.",
            fix='Give the pairs that are to be scored `"split": "hidden"`.',
        )
    pair_of: dict[tuple[str, str], Pair] = {}
    for pair in pairs:
        twin = pair_of.setdefault((pair.content_sha256, pair.style_sha256), pair)
        if twin is not pair:
            raise InvalidDataset(
                f"Pairs {twin.id} and {pair.id} have the same content image and the same style image.",
                fix="Leave out one of the two, or give it another image.",
            )


def _create_dataset(slug: str, title: str) -> Dataset:
    dataset = Dataset(slug=slug, title=title)
    dataset.full_clean()
    dataset.save()
    return dataset


def _store_pairs(version: DatasetVersion, pairs: tuple[Pair, ...]) -> None:
    images = {
        path: store_path(kind=Artifact.Kind.IMAGE, path=path)
        for path in sorted({path for pair in pairs for path in (pair.content, pair.style)})
    }
    ImagePair.objects.bulk_create(
        ImagePair(
            version=version,
            name=pair.id,
            content=images[pair.content],
            style=images[pair.style],
            split=pair.split,
            style_family=pair.style_family,
            culture=pair.culture,
            content_kind=pair.content_kind,
        )
        for pair in pairs
    )
