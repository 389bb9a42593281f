"""Read what a run has brought so far: its log, pictures of released pairs, and aggregates."""

from dataclasses import dataclass

from competitions.errors import NotFound
from competitions.models import RunLogChunk, RunOutput, Score
from competitions.selectors.submissions import SubmissionView


@dataclass(frozen=True)
class LogView:
    """A stretch of log from `offset`; `withheld` says that lines are kept back because of hidden images."""

    text: str
    next_offset: int
    withheld: bool
    ended: bool


@dataclass(frozen=True)
class ScoreView:
    """The aggregate of one metric over the hidden split, with its 95 % interval."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class OutputView:
    """A stylized image of a public pair; images are fetched by run id and the pair's key."""

    pair_pk: int
    pair_name: str
    style_family: str
    culture: str
    content_kind: str
    seconds: float


def run_log(submission: SubmissionView, *, offset: int = 0) -> LogView:
    """Read the log of the latest run from a character offset; only the team and organizers may."""
    if not submission.can_manage:
        raise NotFound("The log is shown to the team that submitted.")
    chunks = RunLogChunk.objects.filter(run=submission.run.outputs_of).order_by("sequence")
    text = "".join(chunk.text for chunk in chunks if not chunk.is_withheld)
    return LogView(
        text=text[max(0, offset) :],
        next_offset=len(text),
        withheld=any(chunk.is_withheld for chunk in chunks),
        ended=not submission.run.is_live,
    )


def run_scores(submission: SubmissionView) -> dict[str, ScoreView]:
    """Read the aggregates over the hidden pairs of the latest run."""
    scores = Score.objects.filter(run=submission.run.id, split="hidden").order_by("metric")
    return {s.metric: ScoreView(s.value, s.low, s.high, s.n) for s in scores}


def public_outputs(submission: SubmissionView) -> list[OutputView]:
    """List the stylized images of public pairs that have landed so far."""
    outputs = RunOutput.objects.filter(run=submission.run.outputs_of, pair__split="public").select_related(
        "pair"
    )
    return [
        OutputView(
            o.pair_id, o.pair.name, o.pair.style_family, o.pair.culture, o.pair.content_kind, o.seconds
        )
        for o in outputs.order_by("pair__name")
    ]
