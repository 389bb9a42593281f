"""What competition.toml may say; the fields and their ranges are those of the pages for setting up."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

COMPETITION_FILE = "competition.toml"
DATA_FOLDER = "data"
CREDITS_PAGE = "credits.md"  # in the data folder: the page of sources as participants read it
MAX_PHASES = 5
LARGEST = 2**31 - 1

DIGEST = r"^[0-9a-f]{64}$"
SLUG = r"^[A-Za-z0-9_-]+$"
TEXT = r"^[^\x00]*$"

Digest = Annotated[str, Field(pattern=DIGEST)]
Slug = Annotated[str, Field(max_length=60, pattern=SLUG)]
Text = Annotated[str, Field(pattern=TEXT)]
Short = Annotated[Text, Field(max_length=120)]
Line = Annotated[Text, Field(max_length=300)]
Count = Annotated[int, Field(ge=1, le=LARGEST)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Basics(_Section):
    """Address and texts. `is_listed`: whether the list of competitions shows it."""

    slug: Slug
    title: Annotated[Short, Field(min_length=1)]
    title_zh: Short = ""
    summary: Line = ""
    summary_zh: Line = ""
    description: Text = ""
    description_zh: Text = ""
    is_listed: bool = True


class Task(_Section):
    """How outputs are scored; with a digest, an instance whose suite of that name is another one refuses."""

    suite: Annotated[str, Field(min_length=1, max_length=80)]
    digest: Digest | None = None


class Data(_Section):
    """That pictures lie in the folder beside the file; with a digest, no others are taken."""

    folder: Literal["data"] = "data"
    digest: Digest | None = None


class Limits(_Section):
    """What a generator may use in every phase, and how submissions count."""

    runs_per_day: Count = 5
    runs_total: Count = 100
    pair_seconds: Count = 10
    load_seconds: Count = 120
    run_seconds: Annotated[int, Field(ge=1, le=5 * 3600)] = 3600
    memory_mb: Annotated[int, Field(ge=256, le=LARGEST)] = 4096
    device: Literal["cpu", "gpu"] = "cpu"
    required_coverage: Annotated[float, Field(ge=0.5, le=1, allow_inf_nan=False)] = 0.99
    counting: Literal["best", "latest"] = "best"


class Phase(_Section):
    """When submissions are taken; without a slug the address is made of the title."""

    title: Annotated[Short, Field(min_length=1)]
    opens_at: AwareDatetime
    closes_at: AwareDatetime
    slug: Slug | None = None
    finals_per_team: Annotated[int, Field(ge=0, le=10)] = 1


class CompetitionFile(_Section):
    """A whole file; a section that is left out is not decided yet, or stays as it is."""

    version: Literal[1] = Field(alias="schema")
    competition: Basics
    task: Task | None = None
    data: Data | None = None
    limits: Limits | None = None
    phases: Annotated[tuple[Phase, ...], Field(min_length=1, max_length=MAX_PHASES, strict=False)] | None = (
        None
    )
