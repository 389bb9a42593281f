"""Create competitions, phases and metric suites."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from competitions.errors import InvalidInput
from competitions.models import Competition, DatasetVersion, MetricSuite, Organizer, Phase
from evaluation.spec import MetricSuite as SuiteDocument


@dataclass(frozen=True)
class PhasePlan:
    """What an organizer decides about a phase; limits and quotas not named keep their defaults."""

    slug: str
    title: str
    opens_at: datetime
    closes_at: datetime
    runs_per_day: int = 5
    pair_seconds: int = 10
    load_seconds: int = 120
    run_seconds: int = 3600
    device: str = Phase.Device.CPU
    memory_mb: int = 4096
    required_coverage: float = 0.99
    counting: str = Phase.Counting.BEST
    finals_per_team: int = 1


def store_suite(*, suite: SuiteDocument) -> MetricSuite:
    """Store a suite version; the same document again returns the same row."""
    row = MetricSuite.objects.filter(digest=suite.digest).first()
    if row is None:
        row = MetricSuite(name=suite.id, digest=suite.digest, document=suite.to_json())
        row.full_clean()
        row.save()
    return row


def check_same_size(dataset_version: DatasetVersion, suite: SuiteDocument) -> None:
    """Refuse a suite for images of another size, for nothing is ever resized."""
    if dataset_version.size != suite.size:
        raise InvalidInput(
            f"The suite {suite.id} scores {suite.size} px; the dataset has {dataset_version.size} px.",
            fix="Choose a suite of the dataset's size, or build the dataset at the suite's size.",
        )


@transaction.atomic
def create_competition(
    *, slug: str, title: str, summary: str, description: str, organizer: User
) -> Competition:
    """Create an unpublished competition with its first organizer."""
    competition = Competition(slug=slug, title=title, summary=summary, description=description)
    competition.full_clean()
    competition.save()
    Organizer.objects.create(competition=competition, user=organizer)
    return competition


@transaction.atomic
def create_phase(
    *, competition: Competition, plan: PhasePlan, dataset_version: DatasetVersion, suite: SuiteDocument
) -> Phase:
    """Add a phase to a competition."""
    check_same_size(dataset_version, suite)
    row = store_suite(suite=suite)
    phase = Phase(competition=competition, dataset_version=dataset_version, suite=row, **vars(plan))
    phase.full_clean()
    phase.save()
    return phase


def publish(*, competition: Competition) -> Competition:
    """Show a competition to everybody."""
    competition.is_published = True
    competition.save(update_fields=["is_published"])
    return competition
