"""What a worker needs to know about the run it has claimed. Serves workers only, never pages or the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from competitions.models import ImagePair, Run, RunEvent, RunOutput, RunShard, Submission
from competitions.rules import RunState
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
    """Everything that decides the outcome of a run.

    An entry competes unless it is only tried out. `outputs_of` is the run whose stored outputs count: this one,
    or, for a rescoring, the one it scores again.
    """

    run_id: UUID
    phase_id: int
    is_competing: bool
    is_deterministic: bool
    outputs_of: UUID
    archive_sha256: str
    is_shipped: bool
    dataset_digest: str
    size: int
    pairs: tuple[PairFile, ...]
    suite_document: str
    limits: Limits

    @property
    def is_rescoring(self) -> bool:
        """Say whether stored outputs are scored and nothing is generated."""
        return self.outputs_of != self.run_id


@dataclass(frozen=True)
class StoredOutput:
    """A stylized image that is kept, and how long the generator took for it."""

    pair: str
    sha256: str
    seconds: float


@dataclass(frozen=True)
class DoneShard:
    """What a finished shard left: digests of its files, and where it was made."""

    index: int
    pair_scores: str
    statistics: str | None
    provenance: dict[str, object]


def assignment(run_id: UUID, *, threads: int) -> Assignment:
    """Read what a claimed run has to do."""
    run = Run.objects.select_related(
        "submission__archive", "submission__phase__dataset_version", "suite"
    ).get(pk=run_id)
    phase = run.submission.phase
    pairs = ImagePair.objects.filter(version=phase.dataset_version_id).select_related("content", "style")
    return Assignment(
        run_id=run.pk,
        phase_id=phase.pk,
        is_competing=run.submission.kind == Submission.Kind.ENTRY and run.purpose != Run.Purpose.DRY_RUN,
        is_deterministic=bool(run.submission.manifest.get("deterministic")),
        outputs_of=run.source_id or run.pk,
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
        suite_document=run.suite.document,
        limits=Limits(
            memory_mb=phase.memory_mb,
            load_seconds=phase.load_seconds,
            pair_seconds=phase.pair_seconds,
            run_seconds=phase.run_seconds,
            cpu_threads=threads,
        ),
    )


def stored_outputs(work: Assignment, pairs: Sequence[str] | None = None) -> dict[str, StoredOutput]:
    """Read which pictures are kept already, of these pairs or of all, by the pair's name."""
    rows = RunOutput.objects.filter(run=work.outputs_of)
    if pairs is not None:
        rows = rows.filter(pair__name__in=pairs)
    values = rows.order_by("pair__name").values_list("pair__name", "artifact__sha256", "seconds")
    return {name: StoredOutput(name, sha256, seconds) for name, sha256, seconds in values}


def done_shards(run_id: UUID) -> list[DoneShard]:
    """List the finished shards of a run in order."""
    rows = RunShard.objects.filter(run=run_id, state=RunShard.State.DONE).order_by("index")
    return [
        DoneShard(
            row.index,
            row.pair_scores.sha256,
            row.statistics.sha256 if row.statistics else None,
            row.provenance,
        )
        for row in rows.select_related("pair_scores", "statistics")
        if row.pair_scores is not None
    ]


def open_shards(run_id: UUID) -> int:
    """Count the shards of a run that are not finished."""
    return RunShard.objects.filter(run=run_id).exclude(state=RunShard.State.DONE).count()


def stage_seconds(run_id: UUID) -> list[tuple[str, float]]:
    """List the stages of the latest attempt at a run in order, and how long each took; the last one is the end."""
    events = list(
        RunEvent.objects.filter(run=run_id).order_by("sequence").values_list("to_state", "created_at")
    )
    starts = [index for index, (state, _) in enumerate(events) if state == RunState.CLAIMED]
    latest = events[starts[-1] :] if starts else []
    passed = [(after - at).total_seconds() for (_, at), (_, after) in pairwise(latest)]
    return [(state, seconds) for (state, _), seconds in zip(latest, [*passed, 0.0], strict=True)]
