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
        InvalidDataset: the pairs file or an image is wrong; nothing is kept then.
    """
    try:
        pairs = read_pairs(folder)
        size = int(json.loads((folder / PAIRS_FILE).read_text(encoding="utf-8"))["size"])
        for path in {path for pair in pairs for path in (pair.content, pair.style)}:
            read_rgb(path, size)
    except EvaluationError as error:
        raise InvalidDataset(error.message, fix=error.fix) from error
    digest = dataset_digest(pairs)
    known = DatasetVersion.objects.filter(digest=digest).first()
    if known is not None:
        return known
    dataset = Dataset.objects.get_or_create(slug=slug, defaults={"title": title})[0]
    version = DatasetVersion(
        dataset=dataset, number=dataset.versions.count() + 1, digest=digest, size=size, credits=credits
    )
    version.full_clean()
    version.save()
    _store_pairs(version, pairs)
    return version


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
