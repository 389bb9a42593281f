"""Teams, entries and queues of any length without uploads, and how long a worker needs to take a run from them."""

import time
from datetime import timedelta
from statistics import median

from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Team, User
from competitions.models import (
    Artifact,
    Competition,
    Dataset,
    DatasetVersion,
    MetricSuite,
    Phase,
    Run,
    Submission,
)
from competitions.rules import PRIORITIES
from competitions.services import queue
from competitions.services.runs import Claim
from competitions.services.workers import Ability

N_TEAMS = 50
WORKER = Ability("test", can_run_untrusted=True, memory_mb=8192)


def make_phase() -> Phase:
    """Make a phase that nobody looks into."""
    version = DatasetVersion.objects.create(
        dataset=Dataset.objects.create(slug="none", title="None"), number=1, digest="0" * 64, size=64
    )
    now = timezone.now()
    return Phase.objects.create(
        competition=Competition.objects.create(slug="long", title="Long"),
        slug="main",
        opens_at=now,
        closes_at=now + timedelta(days=1),
        dataset_version=version,
        suite=MetricSuite.objects.create(name="none", digest="0" * 64, document="{}"),
    )


def entry(phase: Phase, team: str, *, device: str = "cpu", is_shipped: bool = False) -> Submission:
    """Describe a submission of the team with that name; it is not saved yet."""
    user, _ = User.objects.get_or_create(username="crowd")
    archive, _ = Artifact.objects.get_or_create(
        sha256="1" * 64, kind=Artifact.Kind.ARCHIVE, defaults={"size": 1}
    )
    return Submission(
        phase=phase,
        kind=Submission.Kind.ENTRY,
        team=Team.objects.get_or_create(slug=team, name=team)[0],
        submitted_by=user,
        name=f"entry-of-{team}",
        archive=archive,
        manifest={"device": device, "runtime": WORKER.runtimes[0]},
        is_shipped=is_shipped,
    )


def enqueue(phase: Phase, team: str, *, device: str = "cpu", is_shipped: bool = False) -> Run:
    """Hand in for a team and queue the run by the service."""
    submission = entry(phase, team, device=device, is_shipped=is_shipped)
    submission.save()
    return queue.create_run(submission=submission, actor="test")


def second_phase(phase: Phase) -> Phase:
    """Add a phase to the competition."""
    made = Phase.objects.get(pk=phase.pk)
    made.pk, made.slug = None, "second"
    made.save()
    return made


def pass_time(seconds: float) -> None:
    """Let time pass: the clock is the database's own, so everything gets older."""
    older = timedelta(seconds=seconds)
    names = ("queued_at", "started_at", "finished_at", "estimated_start_at")
    Run.objects.update(**{name: F(name) - older for name in names})


def take(worker: str = "worker-1", ability: Ability = WORKER) -> Claim:
    """Have a worker take the next run."""
    held = queue.claim(worker=worker, ability=ability)
    if held is None:
        raise LookupError("there was nothing to take")
    return held


def score(held: Claim) -> None:
    """End a run as scored, whatever its scores."""
    Run.objects.filter(pk=held.run_id).update(
        state="scored",
        finished_at=Now(),
        pair_scores=some_table(),
        n_pairs=1,
        lease_owner="",
        lease_expires_at=None,
    )


def some_table() -> Artifact:
    """Return a stored table of scores that nobody reads."""
    return Artifact.objects.get_or_create(
        sha256="2" * 64, kind=Artifact.Kind.PAIR_SCORES, defaults={"size": 1}
    )[0]


def fill(phase: Phase, n: int, *, out_of_reach: int = 0) -> None:
    """Empty the queue and put `n` runs into it that `WORKER` can do, behind others that it cannot do."""
    Run.objects.all().delete()
    patterns = [entry(phase, f"team-{k}") for k in range(N_TEAMS)]
    fields = [field.attname for field in Submission._meta.fields if field.name not in ("id", "created_at")]
    submissions = Submission.objects.bulk_create(
        Submission(**{name: getattr(patterns[k % N_TEAMS], name) for name in fields})
        for k in range(out_of_reach + n)
    )
    now = timezone.now()
    Run.objects.bulk_create(
        Run(
            submission=submission,
            suite=phase.suite,
            priority=PRIORITIES["score"],
            turn=k // N_TEAMS,
            queued_at=now + timedelta(milliseconds=k),
            device="cuda" if k < out_of_reach else "cpu",
            memory_mb=4096,
            runtime=WORKER.runtimes[0],
        )
        for k, submission in enumerate(submissions)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # a server does so by itself, a minute after such a change


def claim_ms(times: int) -> float:
    """Return the median time of a claim in milliseconds; what was claimed is put back."""
    return median(_claim() for _ in range(times))


def _claim() -> float:
    start = time.perf_counter()
    held = queue.claim(worker="bench", ability=WORKER)
    seconds = time.perf_counter() - start
    if held is None:
        raise RuntimeError("there was nothing to claim")
    Run.objects.filter(pk=held.run_id).update(
        state="queued", fence=0, attempts=0, lease_owner="", lease_expires_at=None, started_at=None
    )
    return 1000 * seconds
