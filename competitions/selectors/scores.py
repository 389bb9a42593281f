"""Read what a run scored: aggregates over the hidden pairs, single values of public pairs only."""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from competitions.errors import NotFound
from competitions.models import ImagePair, Run
from competitions.selectors.galleries import ReleasedPair
from competitions.selectors.leaderboards import Leaderboard, RowView
from competitions.selectors.output import ScoreView, run_scores
from competitions.selectors.submissions import SubmissionView
from competitions.storage import open_file
from evaluation.report import PairScore, read_pair_scores


@dataclass(frozen=True)
class ResultView:
    """The result of a run: `n` pairs were asked for, `n_valid` of them have a valid output."""

    suite: str
    n: int
    n_valid: int
    scores: Mapping[str, ScoreView]


@dataclass(frozen=True)
class PublicPairScore:
    """What one public pair scored; `invalid` says why there are no values."""

    pair_pk: int
    pair_name: str
    style_family: str
    values: Mapping[str, float]
    invalid: str
    seconds: float | None


def run_result(submission: SubmissionView) -> ResultView:
    """Return the aggregates of a scored run, or raise NotFound."""
    run = Run.objects.get(pk=submission.run.id)
    if run.pair_scores_id is None:
        raise NotFound(
            f"This run has no scores: it is {run.state}.", fix="Scores appear when the run is scored."
        )
    suite = str(run.manifest.get("suite", ""))
    return ResultView(suite, run.n_pairs, run.n_valid, run_scores(submission))


def public_pair_scores(submission: SubmissionView) -> list[PublicPairScore]:
    """List the values of the public pairs; empty where the run has no scores."""
    run = Run.objects.select_related("pair_scores", "submission__phase").get(pk=submission.run.id)
    if run.pair_scores is None:
        return []
    public = ImagePair.objects.filter(
        version=run.submission.phase.dataset_version_id, split=ImagePair.Split.PUBLIC
    )
    scores = {score.pair_id: score for score in read_table(run.pair_scores.sha256)}
    return [
        _public_score(pair, score) for pair in public.order_by("name") if (score := scores.get(pair.name))
    ]


def released_scores(board: Leaderboard) -> Iterator[tuple[RowView, PublicPairScore]]:
    """Read, row by row of a board, what the pairs scored that everybody may see; one file is open at a time."""
    released = ImagePair.objects.filter(version__phases=board.phase.pk, split=ImagePair.Split.PUBLIC)
    pairs = list(released.order_by("name"))
    runs = Run.objects.filter(pk__in=[row.run_id for row in board.rows], pair_scores__isnull=False)
    tables = dict(runs.values_list("pk", "pair_scores__sha256"))
    for row in board.rows:
        if row.run_id not in tables:
            continue
        scores = {score.pair_id: score for score in read_table(tables[row.run_id])}
        for pair in pairs:
            if score := scores.get(pair.name):
                yield row, _public_score(pair, score)


def scores_of_pair(pair: ReleasedPair, rows: Sequence[RowView]) -> dict[UUID, Mapping[str, float]]:
    """Read by run what one released pair scored; a table is opened for each row, so ask for a page of them."""
    runs = Run.objects.filter(pk__in=[row.run_id for row in rows], pair_scores__isnull=False)
    found = {}
    for run_id, sha256 in runs.values_list("pk", "pair_scores__sha256"):
        found[run_id] = next((s.values for s in read_table(sha256) if s.pair_id == pair.view.name), {})
    return found


def _public_score(pair: ImagePair, score: PairScore) -> PublicPairScore:
    return PublicPairScore(pair.pk, pair.name, pair.style_family, score.values, score.invalid, score.seconds)


def read_table(sha256: str) -> tuple[PairScore, ...]:
    """Read the per-pair scores of a run, hidden pairs too: what of it is shown is up to the caller."""
    with open_file(sha256) as file:
        return read_pair_scores(io.BytesIO(file.read()))
