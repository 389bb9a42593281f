"""Put the parts of a run together: scores of all shards, set-level metrics, flags, and the end of the run."""

from dataclasses import dataclass
from pathlib import Path

from competitions.ranking import SplitScore, split_scores
from competitions.rules import RunState
from competitions.selectors.flags import usual_style_scores
from competitions.selectors.work import done_shards, stored_outputs
from competitions.services import results, runs
from competitions.services.flags import RaisedFlag
from evaluation.report import PairScore, read_pair_scores, write_pair_scores
from workers.attempt import Attempt
from workers.workspace import fetch


@dataclass(frozen=True)
class Gathered:
    """Everything that a run brought in."""

    scores: tuple[PairScore, ...]
    sets: list[SplitScore]
    outputs: dict[str, Path]
    shards: list[dict[str, object]]


def gather(this: Attempt) -> Gathered:
    """Read what all workers left, in the order of the dataset, so that the same parts give the same numbers."""
    found: dict[str, PairScore] = {}
    parts: list[dict[str, object]] = []
    for shard in done_shards(this.held.run_id):
        this.keeper.check()
        table = fetch(shard.pair_scores, this.folder / f"part-{shard.index}.parquet")
        with table.open("rb") as file:
            found |= {score.pair_id: score for score in read_pair_scores(file)}
        if shard.statistics is not None:
            statistics = fetch(shard.statistics, this.folder / f"part-{shard.index}.npz")
            this.station.scorer.import_collected(this.question, run=this.name, path=statistics)
        parts.append({"index": shard.index, **shard.provenance})
    scores = tuple(found[pair.name] for pair in this.work.pairs)
    outputs = {name: this.fetched(stored) for name, stored in stored_outputs(this.work).items()}
    valid = {score.pair_id: outputs[score.pair_id] for score in scores if not score.invalid}
    sets = this.station.scorer.score_sets(this.question, run=this.name, outputs=valid, scores=scores)
    return Gathered(scores, sets, outputs, parts)


def publish(this: Attempt, all_of: Gathered, flags: list[RaisedFlag]) -> None:
    """Write down scores, flags and the end of the run, together or not at all."""
    if this.work.is_competing:
        flags = flags + this.station.scorer.review(
            this.question,
            outputs=all_of.outputs,
            scores=all_of.scores,
            usual=usual_style_scores(this.work.phase_id, reviewed=this.work.run_id),
        )
    runs.advance(this.held, RunState.PUBLISHING)
    table = this.folder / "pair_scores.parquet"
    write_pair_scores(all_of.scores, table)
    results.complete(
        this.held,
        pair_scores=table,
        scores=split_scores({score.pair_id: score for score in all_of.scores}, this.design) + all_of.sets,
        n_pairs=len(this.work.pairs),
        n_valid=sum(not score.invalid for score in all_of.scores),
        manifest=this.provenance() | {"shards": all_of.shards},
        flags=flags,
    )
