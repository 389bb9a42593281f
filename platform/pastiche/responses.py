"""What the server answers, as far as the command line looks at it; further fields are kept as they are."""

from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

ENDED_STATES = ("scored", "failed", "cancelled")


R = TypeVar("R")


class Response(BaseModel):
    """A part of an answer; a newer server may send more fields."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Page(Response, Generic[R]):
    """A stretch of a list; `next_cursor` is None at its end."""

    results: tuple[R, ...]
    next_cursor: str | None = None


class NewToken(Response):
    """A token in exchange for user name and password."""

    token: str = Field(repr=False)
    user: str


class Team(Response):
    """A team that the caller may submit for."""

    slug: str
    name: str


class Me(Response):
    """Who the token belongs to."""

    username: str
    teams: tuple[Team, ...] = ()


class Competition(Response):
    """A line of the list of competitions."""

    slug: str
    title: str
    summary: str = ""
    state: str | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    suite: str | None = None
    n_public: int | None = None
    n_hidden: int | None = None


class Phase(Response):
    """A phase with its window and limits."""

    slug: str
    title: str
    opens_at: datetime
    closes_at: datetime
    state: str
    runs_per_day: int
    limits: dict[str, int | float | None] = {}


class PhaseDetail(Phase):
    """A phase with what its runs are scored by, and what a rank takes."""

    runs_total: int
    required_coverage: float
    counting: str
    suite: str
    suite_digest: str
    n_public: int
    n_hidden: int


class Quota(Response):
    """How many runs there are today."""

    limit: int
    used: int
    left: int


class Admission(Response):
    """What may be handed in now."""

    competition: str
    phase: str
    team: str
    quota: Quota


class Metric(Response):
    """What a metric is, and what it cannot see."""

    name: str
    title: str
    direction: str
    unit: str = ""
    family: str = ""
    misses: str = ""


class CompetitionDetail(Competition):
    """One competition as a whole."""

    description: str = ""
    phases: tuple[Phase, ...] = ()
    quota: Quota | None = None
    metrics: tuple[Metric, ...] = ()


class Failure(Response):
    """Why a run failed."""

    code: str
    sentence: str
    advice: str = ""
    fault: str = ""
    charged: bool = False


class Run(Response):
    """Where a run stands."""

    id: str
    state: str
    stage: str = ""
    pairs_done: int = 0
    pairs_total: int = 0
    queue_place: int | None = None
    estimated_start_at: datetime | None = None
    attempt: int = 1
    failure: Failure | None = None
    waiting_reason: str = ""
    waiting_advice: str = ""

    @property
    def is_over(self) -> bool:
        """Say whether the run has ended."""
        return self.state in ENDED_STATES


class Submission(Response):
    """What was handed in, with its latest run."""

    id: str
    competition: str
    phase: str = ""
    team: str = ""
    name: str = ""
    archive_sha256: str = ""
    is_final: bool = False
    run: Run
    quota: Quota | None = None


class LogChunk(Response):
    """A stretch of a run's log."""

    offset: int
    next_offset: int
    text: str
    withheld: bool = False
    ended: bool = False


class Estimate(Response):
    """A number with its interval."""

    value: float | None
    low: float | None = None
    high: float | None = None


class PairScore(Response):
    """The values of one public pair, or why there are none."""

    id: str
    invalid: str = ""
    seconds: float | None = None
    values: dict[str, float | None] = {}


class Scores(Response):
    """The result of a run."""

    suite: str
    n: int
    n_valid: int
    scores: dict[str, Estimate]
    pairs: tuple[PairScore, ...] = ()


class Row(Response):
    """A line of a board; no rank for baselines and for what is not ranked."""

    rank: int | None = None
    rank_low: int | None = None
    rank_high: int | None = None
    name: str
    team: str = ""
    kind: str = ""
    headline: float | None = None
    headline_low: float | None = None
    headline_high: float | None = None
    content: float | None = None
    style: float | None = None
    seconds_per_image: float | None = None


class Board(Response):
    """The newest board of a phase."""

    competition: str
    phase: str
    suite: str
    rows: tuple[Row, ...] = ()


class Pair(Response):
    """A public pair with the addresses of its images."""

    id: str
    content_url: str
    style_url: str
    style_family: str = ""
    culture: str = ""
    content_kind: str = ""


class Output(Response):
    """The stylized image of a public pair, with its address."""

    id: str
    seconds: float | None = None
    output_url: str


class Upload(Response):
    """A file on its way: `received` bytes are there, `missing` are the offsets of parts that are not."""

    id: str
    kind: str = "archive"
    state: str
    size: int
    sha256: str
    received: int
    missing: tuple[int, ...]
    part_bytes: int


class Room(Response):
    """How many bytes the caller's uploads may have together and have now, and the largest single file."""

    limit: int
    used: int
    left: int
    largest: int
