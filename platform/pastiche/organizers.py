"""What the server answers to organizers."""

from pastiche.responses import Estimate, Response


class Change(Response):
    """One field that an import changes; None: it is not there. `freedom`: what publishing has made of it."""

    field: str
    before: str | None = None
    after: str | None = None
    freedom: str = ""


class Difference(Response):
    """What an import changes."""

    slug: str
    is_new: bool
    is_published: bool
    changes: tuple[Change, ...]


class Finding(Response):
    """Something that was found in the files of a dataset."""

    code: str
    weight: str
    file: str = ""
    detail: str = ""
    sentence: str = ""
    advice: str = ""


class Report(Response):
    """What became of the files of a dataset; `sha256` is that of their zip."""

    size: int
    sha256: str = ""
    n_files: int
    n_usable: int
    n_public: int
    n_hidden: int
    is_fatal: bool
    findings: tuple[Finding, ...]


class Problem(Response):
    """Why something was refused."""

    code: str
    message: str
    fix: str = ""
    fields: dict[str, str] = {}


class Survey(Response):
    """Pictures that wait for a worker, are looked at, or were refused; `sha256` is that of their zip."""

    state: str
    sha256: str
    files_done: int
    files_total: int
    n_before: int = 0
    seconds_silent: int = 0
    is_lost: bool = False
    is_untaken: bool = False
    problem: Problem | None = None


class Data(Response):
    """The report on the pictures looked at last, and the survey of those that came after them."""

    report: Report | None = None
    survey: Survey | None = None

    def is_under_way(self, sha256: str) -> bool:
        """Say whether the zip with that digest waits or is looked at."""
        return self.survey is not None and self.survey.sha256 == sha256 and self.survey.state != "refused"


class Trial(Response):
    """One baseline of a dry run on its way; `scores` over the hidden pairs."""

    submission_id: str
    run_id: str
    name: str
    state: str
    pairs_done: int
    pairs_total: int
    failure_code: str = ""
    scores: dict[str, Estimate] = {}


class DryRun(Response):
    """The last dry run; `is_current` while suite, data and limits are those that it tried."""

    is_current: bool
    is_live: bool
    is_scored: bool
    waiting_reason: str = ""
    waiting_advice: str = ""
    trials: tuple[Trial, ...]
