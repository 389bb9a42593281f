"""What a worker needs to know about the run it has claimed. Serves workers only, never pages or the API."""

from dataclasses import dataclass
from uuid import UUID

from competitions.models import ImagePair, Run
from evaluation.generation.driver import Limits


@dataclass(frozen=True)
class PairFile:
    """One pair with the digests of its images."""

    name: str
    split: str
    content_sha256: str
    style_sha256: str
    style_family: str
    culture: str
    content_kind: str


@dataclass(frozen=True)
class Assignment:
    """Everything that decides the outcome of a run."""

    run_id: UUID
    archive_sha256: str
    is_shipped: bool
    dataset_digest: str
    size: int
    pairs: tuple[PairFile, ...]
    suite_document: str
    limits: Limits


def assignment(run_id: UUID, *, threads: int) -> Assignment:
    """Read what a claimed run has to do."""
    run = Run.objects.select_related(
        "submission__archive", "submission__phase__dataset_version", "submission__phase__suite"
    ).get(pk=run_id)
    phase = run.submission.phase
    pairs = ImagePair.objects.filter(version=phase.dataset_version_id).select_related("content", "style")
    return Assignment(
        run_id=run.pk,
        archive_sha256=run.submission.archive.sha256,
        is_shipped=run.submission.is_shipped,
        dataset_digest=phase.dataset_version.digest,
        size=phase.dataset_version.size,
        pairs=tuple(
            PairFile(
                name=pair.name,
                split=pair.split,
                content_sha256=pair.content.sha256,
                style_sha256=pair.style.sha256,
                style_family=pair.style_family,
                culture=pair.culture,
                content_kind=pair.content_kind,
            )
            for pair in pairs.order_by("name")
        ),
        suite_document=phase.suite.document,
        limits=Limits(
            memory_mb=phase.memory_mb,
            load_seconds=phase.load_seconds,
            pair_seconds=phase.pair_seconds,
            run_seconds=phase.run_seconds,
            cpu_threads=threads,
        ),
    )
