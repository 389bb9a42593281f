"""Read datasets and suites, as far as competitions that the viewer may see use them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from competitions.errors import NotFound
from competitions.models import DatasetVersion, ImagePair, MetricSuite
from competitions.selectors.access import Viewer, visible_competitions
from competitions.selectors.competitions import PairView


@dataclass(frozen=True)
class DatasetView:
    """A version of a dataset; of its hidden pairs no more than their number is told."""

    slug: str
    title: str
    version: int
    digest: str
    size: int
    credits: str
    n_public: int
    n_hidden: int
    created_at: datetime


def visible_datasets(viewer: Viewer) -> QuerySet[DatasetVersion]:
    """Versions that a phase of a competition uses which the viewer may see."""
    used = visible_competitions(viewer).values("phases__dataset_version")
    return DatasetVersion.objects.filter(pk__in=used)


def dataset_views(rows: Sequence[DatasetVersion]) -> list[DatasetView]:
    """Show versions of datasets, with one query for all of them."""
    counted = DatasetVersion.objects.filter(pk__in=[row.pk for row in rows]).select_related("dataset")
    counted = counted.annotate(
        n_public=Count("pairs", filter=Q(pairs__split=ImagePair.Split.PUBLIC)), n_pairs=Count("pairs")
    )
    found = {row.pk: row for row in counted}
    return [_view(found[row.pk]) for row in rows]


def get_dataset(slug: str, version: int, viewer: Viewer) -> DatasetView:
    """Return one version of a dataset, or raise NotFound."""
    return dataset_views([_find(slug, version, viewer)])[0]


def dataset_pairs(slug: str, version: int, viewer: Viewer) -> list[PairView]:
    """List the public pairs of a version."""
    pairs = ImagePair.objects.filter(version=_find(slug, version, viewer), split=ImagePair.Split.PUBLIC)
    return [PairView.of(pair) for pair in pairs.order_by("name")]


def visible_suites(viewer: Viewer) -> QuerySet[MetricSuite]:
    """Suites by which a phase scores, or has scored, of a competition that the viewer may see."""
    seen = visible_competitions(viewer)
    used = Q(phases__competition__in=seen) | Q(runs__submission__phase__competition__in=seen)
    return MetricSuite.objects.filter(pk__in=MetricSuite.objects.filter(used).values("pk"))


def get_suite(name: str, viewer: Viewer) -> MetricSuite:
    """Return one suite, or raise NotFound."""
    row = visible_suites(viewer).filter(name=name).first()
    if row is None:
        raise NotFound(f"There is no suite {name!r}, or no competition that you may see uses it.")
    return row


def _find(slug: str, version: int, viewer: Viewer) -> DatasetVersion:
    row = visible_datasets(viewer).filter(dataset__slug=slug, number__exact=version).first()
    if row is None:
        raise NotFound("There is no such version of a dataset, or no competition that you may see uses it.")
    return row


def _view(row: DatasetVersion) -> DatasetView:
    n_public, n_pairs = (int(getattr(row, name)) for name in ("n_public", "n_pairs"))
    return DatasetView(
        slug=row.dataset.slug,
        title=row.dataset.title,
        version=row.number,
        digest=row.digest,
        size=row.size,
        credits=row.credits,
        n_public=n_public,
        n_hidden=n_pairs - n_public,
        created_at=row.created_at,
    )
