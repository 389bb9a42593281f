"""Evaluate one claimed run, in the order of the story: load, generate, score, publish."""

import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from competitions.errors import IllegalTransition, StaleFence
from competitions.rules import RunState, fault_of
from competitions.run_log import log_run
from competitions.selectors.work import assignment, open_shards, stage_seconds, stored_outputs
from competitions.services import outbox, runs, shards
from competitions.services.flags import RaisedFlag
from competitions.services.runs import Claim
from competitions.services.shards import ShardClaim
from evaluation.errors import GenerationError, InvalidArchive
from evaluation.failures import Fault
from workers import metrics, replay
from workers.attempt import Attempt, generator_threads
from workers.keeper import Draining, Keeper
from workers.publishing import gather, publish
from workers.shard_work import work_through
from workers.station import Station
from workers.workspace import fetch, run_folder

logger = logging.getLogger(__name__)

HIDDEN_DETAIL = "It happened on a hidden pair, so nothing more can be told."
WAIT_SECONDS = 0.5


def run(held: Claim, here: Station) -> None:
    """Evaluate a claimed run and bring it to an end, or give it back to the queue."""

    def give_back(detail: str, *, is_fault: bool) -> None:
        if is_fault:
            runs.fail(held, code="INFRA", detail=detail)
        else:
            runs.hand_back(held)

    with log_run(held.run_id):
        logger.info("claimed with fence %s", held.fence)
        with _endings(held, here, give_back) as keeper, run_folder(settings.WORKER_DIR) as folder:
            work = assignment(held.run_id, threads=generator_threads())
            _evaluate(Attempt(held, work, here, keeper, folder))
        _measure(held)
        outbox.flush()


def assist(shard: ShardClaim, here: Station) -> None:
    """Bring in one shard of a run that another worker owns, or open it again."""

    def release(detail: str, *, is_fault: bool) -> None:
        shards.release(shard, detail=detail, is_fault=is_fault)

    with log_run(shard.run.run_id):
        logger.info("taking shard %s", shard.shard_id)
        with (
            _endings(shard.run, here, release, owns_run=False) as keeper,
            run_folder(settings.WORKER_DIR) as folder,
        ):
            work = assignment(shard.run.run_id, threads=generator_threads())
            this = Attempt(shard.run, work, here, keeper, folder)
            with _generating(this):
                work_through(this, shard)
        outbox.flush()


def _measure(held: Claim) -> None:
    """Tell the operators how long the stages of this attempt took."""
    stages = stage_seconds(held.run_id)
    for stage, seconds in stages[:-1]:
        metrics.observe_stage(stage, seconds)
    if stages:
        metrics.run_ended(stages[-1][0], sum(seconds for _, seconds in stages))


@contextmanager
def _endings(
    held: Claim, here: Station, give_back: Callable[..., None], *, owns_run: bool = True
) -> Iterator[Keeper]:
    """Keep the claim alive, and turn whatever ends the work too early into the end that the run deserves."""
    keeper = Keeper(held, owns_run=owns_run)
    try:
        with keeper:
            yield keeper
    except StaleFence as reason:
        logger.info("left: %s", reason)
    except Draining:
        logger.info("handed back: this worker stops")
        _try(lambda: give_back("The worker stops.", is_fault=False))
    except InvalidArchive as error:
        message = error.message
        _try(lambda: runs.fail(held, code="INVALID_BUNDLE", detail=message))
    except GenerationError as error:
        code, message = error.code, error.message
        if fault_of(code) is Fault.PLATFORM:
            here.distrust()
            _try(lambda: give_back(message, is_fault=True))
        else:
            # How it ended is chosen by the generator too, so it tells nothing once hidden images were shown to it.
            detail = HIDDEN_DETAIL if keeper.withholds_log else message
            _try(lambda: runs.fail(held, code=code, detail=detail))
    except Exception as error:
        logger.exception("the platform failed")
        name = type(error).__name__
        _try(lambda: give_back(name, is_fault=True))
        raise


def _try(end: Callable[[], object]) -> None:
    try:
        end()
    except (StaleFence, IllegalTransition) as reason:
        logger.info("left: %s", reason)


def _evaluate(this: Attempt) -> None:
    """Do what is open, together with whoever helps, then put all parts together."""
    left_over = shards.plan(this.held, _order(this), size=settings.SHARD_PAIRS)
    flags: list[RaisedFlag] = []
    if this.work.is_rescoring:
        runs.advance(this.held, RunState.SCORING, changes={"manifest": this.provenance()})
        _bring_in_shards(this)
    else:
        runs.advance(this.held, RunState.LOADING, changes={"manifest": this.provenance()})
        this.station.scorer.open(this.question)
        with _generating(this):
            this.generator.load()
            runs.advance(this.held, RunState.GENERATING)
            if left_over:
                _trust_or_forget(this)
            _bring_in_shards(this)
            flags = _replay(this)
        _check_time(this)
        this.keeper.flush()
        runs.advance(this.held, RunState.SCORING)
    publish(this, gather(this), flags)


@contextmanager
def _generating(this: Attempt) -> Iterator[None]:
    """End the generator in any case."""
    try:
        yield
        if "generator" in vars(this):
            this.generator.close()
    finally:
        if "generator" in vars(this):
            this.generator.abort()


def _order(this: Attempt) -> list[str]:
    """Put the pairs into an order that nobody can foresee, the public ones first: what is logged later is withheld."""
    order = random.SystemRandom().sample(this.work.pairs, len(this.work.pairs))
    return [pair.name for pair in sorted(order, key=lambda pair: pair.split != "public")]


def _bring_in_shards(this: Attempt) -> None:
    shards.invite(this.held)
    while open_shards(this.held.run_id):
        this.keeper.check()
        shard = shards.take(this.held)
        if shard is not None:
            work_through(this, shard)
        else:
            this.keeper.wait(WAIT_SECONDS)
            shards.reap(this.held)


def _trust_or_forget(this: Attempt) -> None:
    """Keep what an earlier attempt made only where the generator, asked again, makes the same pictures."""
    stored = stored_outputs(this.work)
    if this.work.is_deterministic and stored:
        chosen = replay.choose(list(stored), settings.RESUME_PAIRS)
        kept = {pair: fetch(stored[pair].sha256, this.folder / f"kept-{pair}.png") for pair in chosen}
        if replay.agrees(this, chosen, kept):
            logger.info("%s pairs of an earlier attempt are kept", len(stored))
            return
    shards.forget(this.held)


def _replay(this: Attempt) -> list[RaisedFlag]:
    """Show some pairs to a fresh copy; only entries are looked at, for ours and dry runs compete with nobody."""
    if not this.work.is_competing or not settings.REPLAY_PAIRS:
        return []
    this.generator.close()
    stored = stored_outputs(this.work)
    chosen = replay.choose(list(stored), settings.REPLAY_PAIRS)
    flag = replay.look_twice(this, chosen, {pair: this.fetched(stored[pair]) for pair in chosen})
    return [] if flag is None else [flag]


def _check_time(this: Attempt) -> None:
    """Hold the limit of the run over all its workers and attempts together: help makes nobody's limit longer."""
    seconds = sum(stored.seconds for stored in stored_outputs(this.work).values())
    if seconds > this.work.limits.run_seconds:
        limit = this.work.limits.run_seconds
        raise GenerationError(
            "RUN_TIMEOUT", f"All pairs together took {seconds:.0f} s; the limit is {limit:.0f} s."
        )
