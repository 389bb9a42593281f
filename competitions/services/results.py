"""What a run brings in: outputs and log as they come, then scores and the end in one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from django.db import transaction
from django.db.models.functions import Now

from competitions.errors import IllegalTransition
from competitions.models import Artifact, ImagePair, Run, RunLogChunk, RunOutput, Score
from competitions.ranking import SplitScore
from competitions.rules import RunState
from competitions.services import moderation, outbox, runs, shards
from competitions.services.artifacts import store_path
from competitions.services.flags import RaisedFlag, record_flags
from competitions.services.runs import Claim
from competitions.services.shards import ShardClaim
from competitions.services.transitions import transition


def store_output(shard: ShardClaim, *, pair: str, path: Path, seconds: float) -> RunOutput:
    """Keep the stylized image of one pair; a second attempt replaces what the first one left.

    Raises:
        StaleFence: shard or run are no longer this worker's.
    """
    artifact = store_path(kind=Artifact.Kind.OUTPUT, path=path)
    with transaction.atomic():
        run = runs.owned(shard.run)
        shards.check_held(shard)
        row = ImagePair.objects.get(version=run.submission.phase.dataset_version_id, name=pair)
        return RunOutput.objects.update_or_create(
            run=run, pair=row, defaults={"artifact": artifact, "seconds": seconds}
        )[0]


@transaction.atomic
def append_log(held: Claim, *, text: str, is_withheld: bool) -> None:
    """Add what the generator wrote; lines written after hidden images were shown are withheld."""
    run = runs.owned(held)
    sequence = RunLogChunk.objects.filter(run=run).count() + 1
    RunLogChunk.objects.create(run=run, sequence=sequence, text=text, is_withheld=is_withheld)


@transaction.atomic
def complete(
    held: Claim,
    *,
    pair_scores: Path,
    scores: Sequence[SplitScore],
    n_pairs: int,
    n_valid: int,
    manifest: Mapping[str, object] | None = None,
    flags: Sequence[RaisedFlag] = (),
) -> Run:
    """Store all scores and flags and end the run as scored, together or not at all."""
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
            "pairs_done": n_pairs,
            "last_sign_of_life": Now(),
            **({} if manifest is None else {"manifest": dict(manifest)}),
        },
    )
    Score.objects.bulk_create(Score(run=run, **vars(score)) for score in scores)
    record_flags(run, flags)
    if run.purpose == Run.Purpose.SCORE and run.suite_id != run.submission.phase.suite_id:
        with suppress(IllegalTransition):  # the phase got another suite meanwhile; a rescoring is under way
            moderation.rescore(run, actor="platform")
    outbox.promise_board(run.submission.phase_id)
    return run
