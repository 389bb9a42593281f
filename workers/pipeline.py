"""Evaluate one claimed run, in the order of the story: load, generate, score, publish."""

import logging
import platform
import random
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

from competitions.errors import IllegalTransition, StaleFence
from competitions.ranking import PairDesign, SplitScore, split_scores
from competitions.rules import RunState, fault_of
from competitions.selectors.work import Assignment, assignment
from competitions.services import outbox, results, runs
from competitions.services.runs import Claim
from competitions.services.submissions import archive_limits
from evaluation.archive import unpack_archive
from evaluation.errors import GenerationError, InvalidArchive
from evaluation.failures import Fault
from evaluation.generation.driver import Driver, Session
from evaluation.generation.generate import stylize_pairs
from evaluation.images import write_png
from evaluation.pairs import Pair, read_pairs
from evaluation.report import PairScore, write_pair_scores
from evaluation.spec import parse_suite
from workers.cores import usable_cores
from workers.keeper import Draining, Keeper
from workers.scorer import Question
from workers.station import Station
from workers.workspace import dataset_folder, fetch, run_folder

logger = logging.getLogger(__name__)

HIDDEN_DETAIL = "It happened on a hidden pair, so nothing more can be told."


@dataclass(frozen=True)
class Evaluation:
    """One run under way: the title to it, what to do, who keeps it alive, and where its files lie."""

    held: Claim
    work: Assignment
    station: Station
    keeper: Keeper
    folder: Path


def run(held: Claim, here: Station) -> None:
    """Evaluate a claimed run and bring it to an end, or give it back to the queue."""
    logger.info("run %s: claimed with fence %s", held.run_id, held.fence)
    keeper = Keeper(held)
    try:
        with keeper, run_folder(settings.WORKER_DIR) as folder:
            work = assignment(held.run_id, threads=generator_threads())
            _evaluate(Evaluation(held, work, here, keeper, folder))
    except StaleFence as reason:
        logger.info("run %s: left, %s", held.run_id, reason)
    except Draining:
        _hand_back(held)
    except InvalidArchive as error:
        _fail(held, "INVALID_BUNDLE", error.message)
    except GenerationError as error:
        if fault_of(error.code) is Fault.PLATFORM:
            here.distrust()
        # How it ended is chosen by the generator too, so it tells nothing once hidden images were shown to it.
        _fail(held, error.code, HIDDEN_DETAIL if keeper.withholds_log else error.message)
    except Exception as error:
        logger.exception("run %s: the platform failed", held.run_id)
        _fail(held, "INFRA", type(error).__name__)
        raise
    outbox.flush()


def generator_threads() -> int:
    """Return how many threads a generator may use: the setting, or all cores of this worker."""
    return settings.COMPUTE_THREADS or usable_cores()


def _evaluate(this: Evaluation) -> None:
    archive = fetch(this.work.archive_sha256, this.folder / "archive.zip")
    manifest = unpack_archive(archive, this.folder / "bundle", archive_limits()).manifest
    driver = this.station.driver_for(this.work)
    runs.advance(this.held, RunState.LOADING, changes={"manifest": _provenance(this, driver)})
    dataset = dataset_folder(settings.WORKER_DIR, this.work)
    question = Question(this.work.suite_document, dataset)
    this.station.scorer.open(question)
    session = driver.start(this.folder / "bundle", manifest, this.work.limits, this.keeper.log)
    scoring = ThreadPoolExecutor(1, thread_name_prefix="scoring")
    try:
        with this.keeper.watching(session):
            runs.advance(this.held, RunState.GENERATING)
            pending = [
                scoring.submit(
                    this.station.scorer.score,
                    question,
                    run=_run_name(this),
                    pair_id=pair,
                    output=path,
                    seconds=seconds,
                )
                for pair, path, seconds in _generate(this, session, read_pairs(dataset))
            ]
            session.close()
        this.keeper.flush()
        runs.advance(this.held, RunState.SCORING, changes={"pairs_done": len(pending)})
        scores = tuple(_result(this, future) for future in pending)
    finally:
        scoring.shutdown(cancel_futures=True)
    _publish(this, scores, _score_sets(this, question, scores))


def _run_name(this: Evaluation) -> str:
    """Name the attempt: outputs of two attempts are never measured together."""
    return f"{this.held.run_id}.{this.held.fence}"


def _score_sets(this: Evaluation, question: Question, scores: tuple[PairScore, ...]) -> list[SplitScore]:
    this.keeper.check()
    outputs = {score.pair_id: this.folder / f"{score.pair_id}.png" for score in scores if not score.invalid}
    return this.station.scorer.score_sets(question, run=_run_name(this), outputs=outputs, scores=scores)


def _result(this: Evaluation, score: Future[PairScore]) -> PairScore:
    this.keeper.check()
    return score.result()


def _generate(
    this: Evaluation, session: Session, pairs: tuple[Pair, ...]
) -> Iterator[tuple[str, Path, float]]:
    """Have every pair stylized and stored, the public ones first: what is logged later is withheld."""
    for pair, prediction in stylize_pairs(session, _shuffled(this, pairs)):
        path = this.folder / f"{pair.id}.png"
        write_png(prediction.stylized, path)
        results.store_output(this.held, pair=pair.id, path=path, seconds=prediction.seconds)
        this.keeper.pairs_done += 1
        yield pair.id, path, prediction.seconds


def _shuffled(this: Evaluation, pairs: tuple[Pair, ...]) -> Iterator[Pair]:
    """Yield the pairs in an order that nobody can foresee, and notice before each whether to go on."""
    order = random.SystemRandom().sample(pairs, len(pairs))
    for pair in sorted(order, key=lambda pair: pair.split != "public"):
        this.keeper.check()
        this.keeper.withholds_log = pair.split != "public"
        yield pair


def _publish(this: Evaluation, scores: tuple[PairScore, ...], sets: list[SplitScore]) -> None:
    runs.advance(this.held, RunState.PUBLISHING)
    table = this.folder / "pair_scores.parquet"
    write_pair_scores(scores, table)
    design = [
        PairDesign(pair.name, pair.split, pair.content_sha256, pair.style_sha256, pair.culture)
        for pair in this.work.pairs
    ]
    results.complete(
        this.held,
        pair_scores=table,
        scores=split_scores({score.pair_id: score for score in scores}, design) + sets,
        n_pairs=len(this.work.pairs),
        n_valid=sum(not score.invalid for score in scores),
    )


def _provenance(this: Evaluation, driver: Driver) -> dict[str, object]:
    """Write down everything that a stranger needs to repeat the run."""
    suite = parse_suite(this.work.suite_document)
    return {
        "archive": this.work.archive_sha256,
        "dataset": this.work.dataset_digest,
        "suite": suite.id,
        "suite_digest": suite.digest,
        "backbone": suite.backbone,
        "backbone_digest": suite.backbone_digest,
        "networks": suite.networks,
        "driver": driver.describe(),
        "is_sandboxed": driver.is_sandbox,
        "limits": vars(this.work.limits),
        "worker": this.station.name,
        "environment": {"python": platform.python_version()}
        | {name: version(name) for name in ("torch", "onnxruntime", "numpy", "scikit-image")},
    }


def _hand_back(held: Claim) -> None:
    try:
        runs.hand_back(held)
        logger.info("run %s: handed back, this worker stops", held.run_id)
    except (StaleFence, IllegalTransition) as reason:
        logger.info("run %s: left, %s", held.run_id, reason)


def _fail(held: Claim, code: str, detail: str) -> None:
    try:
        runs.fail(held, code=code, detail=detail)
        logger.info("run %s: failed with %s: %s", held.run_id, code, detail)
    except (StaleFence, IllegalTransition) as reason:
        logger.info("run %s: left, %s", held.run_id, reason)
