"""What a run brings in: outputs and log as they come, then scores and the end in one transaction."""

from collections.abc import Sequence
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from competitions.errors import StaleFence
from competitions.models import Artifact, ImagePair, Outbox, Run, RunLogChunk, RunOutput, Score
from competitions.ranking import SplitScore
from competitions.rules import LEASED_STATES, RunState
from competitions.services import outbox
from competitions.services.artifacts import store_path
from competitions.services.runs import Claim
from competitions.services.transitions import transition


def store_output(held: Claim, *, pair: str, path: Path, seconds: float) -> RunOutput:
    """Keep the stylized image of one pair; a second attempt replaces what the first one left."""
    artifact = store_path(kind=Artifact.Kind.OUTPUT, path=path)
    with transaction.atomic():
        run = _owned(held)
        row = ImagePair.objects.get(version=run.submission.phase.dataset_version_id, name=pair)
        return RunOutput.objects.update_or_create(
            run=run, pair=row, defaults={"artifact": artifact, "seconds": seconds}
        )[0]


@transaction.atomic
def append_log(held: Claim, *, text: str, is_withheld: bool) -> None:
    """Add what the generator wrote; lines written after hidden images were shown are withheld."""
    run = _owned(held)
    sequence = RunLogChunk.objects.filter(run=run).count() + 1
    RunLogChunk.objects.create(run=run, sequence=sequence, text=text, is_withheld=is_withheld)


@transaction.atomic
def complete(
    held: Claim, *, pair_scores: Path, scores: Sequence[SplitScore], n_pairs: int, n_valid: int
) -> Run:
    """Store all scores and end the run as scored, together or not at all."""
    artifact = store_path(kind=Artifact.Kind.PAIR_SCORES, path=pair_scores)
    run = transition(
        run_id=held.run_id,
        to=RunState.SCORED,
        actor=held.worker,
        fence=held.fence,
        changes={
            "pair_scores": artifact,
            "n_pairs": n_pairs,
            "n_valid": n_valid,
            "last_sign_of_life": timezone.now(),
        },
    )
    Score.objects.bulk_create(Score(run=run, **vars(score)) for score in scores)
    outbox.promise(Outbox.Topic.REFRESH_LEADERBOARD, str(run.submission.phase_id))
    return run


def _owned(held: Claim) -> Run:
    rows = Run.objects.select_for_update(of=("self",)).select_related("submission__phase")
    run = rows.filter(pk=held.run_id, fence=held.fence, state__in=LEASED_STATES).first()
    if run is None:
        raise StaleFence
    return run
