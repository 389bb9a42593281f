"""Read what a run scored: aggregates over the hidden pairs, single values of public pairs only."""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from competitions.errors import NotFound
from competitions.models import ImagePair, Run
from competitions.selectors.submissions import ScoreView, SubmissionView, run_scores
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
    scores = {score.pair_id: score for score in _read_table(run.pair_scores.sha256)}
    return [
        PublicPairScore(pair.pk, pair.name, pair.style_family, score.values, score.invalid, score.seconds)
        for pair in public.order_by("name")
        if (score := scores.get(pair.name))
    ]


def _read_table(sha256: str) -> tuple[PairScore, ...]:
    with open_file(sha256) as file:
        return read_pair_scores(io.BytesIO(file.read()))
