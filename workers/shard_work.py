"""Work through a shard: every pair is generated, or taken from an earlier attempt, then stored and scored."""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from competitions.run_log import log_run
from competitions.selectors.work import StoredOutput, stored_outputs
from competitions.services import results, shards
from competitions.services.shards import ShardClaim
from evaluation.images import write_png
from evaluation.report import PairScore, write_pair_scores
from workers.attempt import Attempt
from workers.cache import DamagedFile


@dataclass(frozen=True)
class Picture:
    """A stylized image on this worker's disk, and how long the generator took for it."""

    pair: str
    path: Path
    seconds: float


def work_through(this: Attempt, shard: ShardClaim) -> None:
    """Bring in one shard; pictures are scored while the next ones are made.

    Raises:
        GenerationError: the generator failed.
        StaleFence, Draining: the run must not go on.
    """
    this.keeper.work_on(shard)
    stored = stored_outputs(this.work, shard.pairs)
    scoring = ThreadPoolExecutor(1, thread_name_prefix="scoring")
    pending: list[Future[PairScore]] = []
    try:
        for pair in shard.pairs:
            this.keeper.check()
            picture = _recall(this, stored.get(pair)) or _generate(this, shard, pair)
            pending.append(scoring.submit(_score, this, shard, picture))
            this.keeper.pairs_done += 1
        scores = tuple(_result(this, future) for future in pending)
    finally:
        scoring.shutdown(cancel_futures=True)
    _finish(this, shard, scores)


def _recall(this: Attempt, found: StoredOutput | None) -> Picture | None:
    """Take what an earlier attempt made; a file that a power cut took with it is made again."""
    if found is None:
        return None
    try:
        return Picture(found.pair, this.fetched(found), found.seconds)
    except (DamagedFile, FileNotFoundError):
        if this.work.is_rescoring:
            raise
        this.output(found.pair).unlink(missing_ok=True)
        return None


def _generate(this: Attempt, shard: ShardClaim, pair: str) -> Picture:
    prediction = this.generator.stylize(this.pairs[pair])
    path = this.output(pair)
    write_png(prediction.stylized, path)
    results.store_output(shard, pair=pair, path=path, seconds=prediction.seconds)
    return Picture(pair, path, prediction.seconds)


def _score(this: Attempt, shard: ShardClaim, picture: Picture) -> PairScore:
    with log_run(shard.run.run_id):
        return this.station.scorer.score(
            this.question,
            run=_name(shard),
            pair_id=picture.pair,
            output=picture.path,
            seconds=picture.seconds,
        )


def _result(this: Attempt, score: Future[PairScore]) -> PairScore:
    this.keeper.check()
    return score.result()


def _finish(this: Attempt, shard: ShardClaim, scores: tuple[PairScore, ...]) -> None:
    table = this.folder / f"shard-{shard.shard_id}.parquet"
    write_pair_scores(scores, table)
    statistics = this.folder / f"shard-{shard.shard_id}.npz"
    outputs = {score.pair_id: this.output(score.pair_id) for score in scores if not score.invalid}
    this.station.scorer.export_collected(this.question, run=_name(shard), path=statistics, outputs=outputs)
    this.keeper.work_on(None)  # from here on the shard ends, so it need not be kept alive
    shards.finish(shard, pair_scores=table, statistics=statistics, provenance=this.whereabouts())


def _name(shard: ShardClaim) -> str:
    """Name one worker's try at a shard: its outputs are kept apart from all others."""
    return f"{shard.run.run_id}.{shard.shard_id}.{shard.fence}"
