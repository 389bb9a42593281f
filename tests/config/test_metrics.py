"""The platform's figures for Prometheus: for whoever has the token, right, and by a fixed number of queries."""

import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries, Settings

from competitions.models import Outbox, QuotaEntry, Run, Submission, Worker
from competitions.rules import RunState
from competitions.selectors.operations import Figures
from competitions.services import queue, runs
from competitions.services.workers import Ability, register_worker
from config.metrics import Collector
from tests.api_fixtures import evaluate, submission, submit  # noqa: F401
from tests.servers import free_port
from workers import metrics

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a token for machines"
EMPTY = Figures(queue=(), outbox=(), running={}, ended={}, workers={}, reaped=0, quota={})
N_QUERIES = 7
Sample = tuple[str, tuple[tuple[str, str], ...]]


@pytest.fixture
def read(client: Client, settings: Settings, db: None) -> Callable[[], dict[Sample, float]]:
    """Return a function that reads all samples as Prometheus would."""
    settings.METRICS_TOKEN = TOKEN

    def ask() -> dict[Sample, float]:
        answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        return samples(answer.content.decode())

    return ask


def samples(text: str) -> dict[Sample, float]:
    """Parse an answer with Prometheus' own parser."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(name: str, **labels: str) -> Sample:
    """Name a sample."""
    return f"pastiche_{name}", tuple(sorted(labels.items()))


def claim() -> runs.Claim:
    """Have a worker take the next run."""
    held = queue.claim(worker="worker-1", ability=Ability("test", True))
    assert held is not None
    return held


def test_without_a_token_in_the_settings_there_is_no_such_page(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize(
    "given",
    [None, "Bearer", "Bearer wrong", TOKEN, f"Bearer {TOKEN[:-1]}", f"bearer {TOKEN} ", "Bearer \xe9"],
)
def test_a_wrong_token_is_refused(client: Client, settings: Settings, given: str | None) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers={"authorization": given} if given else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.content == b""


def test_an_empty_platform_reads_as_zero_and_not_as_missing(read: Callable[[], dict[Sample, float]]) -> None:
    seen = read()
    assert set(seen.values()) == {0.0}
    for purpose in Run.Purpose.values:
        assert of("queue_runs", purpose=purpose) in seen
        assert of("queue_oldest_age_seconds", purpose=purpose) in seen
    for topic in Outbox.Topic.values:
        assert of("outbox_messages", topic=topic) in seen
    for state in QuotaEntry.State.values:
        assert of("quota_entries", state=state) in seen
    assert of("runs_running", stage="generating") in seen
    assert of("workers", can_run_untrusted="yes") in seen
    assert of("leases_reaped_total") in seen


def test_queue_outbox_and_quota_are_counted(
    read: Callable[[], dict[Sample, float]],
    submit: Callable[[str], Submission],  # noqa: F811
) -> None:
    submit("first")
    submit("second")
    now = timezone.now()
    Run.objects.filter(submission__name="first").update(queued_at=now - timedelta(seconds=90))
    Outbox.objects.all().delete()
    due = Outbox.objects.create(topic=Outbox.Topic.REFRESH_LEADERBOARD, key="1", not_before=now)
    Outbox.objects.filter(pk=due.pk).update(created_at=now - timedelta(seconds=50))
    seen = read()
    assert seen[of("queue_runs", purpose="score")] == 2
    assert seen[of("queue_oldest_age_seconds", purpose="score")] == pytest.approx(90, abs=5)
    assert seen[of("outbox_messages", topic="refresh")] == 1
    assert seen[of("outbox_oldest_age_seconds", topic="refresh")] == pytest.approx(50, abs=5)
    assert seen[of("quota_entries", state="reserved")] == 2


def test_runs_are_counted_by_stage_and_by_how_they_ended(
    read: Callable[[], dict[Sample, float]],
    submit: Callable[[str], Submission],  # noqa: F811
    evaluate: Callable[[Submission], Run],  # noqa: F811
) -> None:
    evaluate(submit("scored"))
    submit("failed")
    runs.fail(claim(), code="OUT_OF_MEMORY", detail="It was too large.")
    submit("running")
    runs.advance(claim(), RunState.LOADING)
    seen = read()
    assert seen[of("runs_ended_total", state="scored", code="")] == 1
    assert seen[of("runs_ended_total", state="failed", code="OUT_OF_MEMORY")] == 1
    assert seen[of("runs_running", stage="loading")] == 1
    assert seen[of("quota_entries", state="charged")] == 2


def test_reaped_leases_are_counted(
    read: Callable[[], dict[Sample, float]],
    submission: Submission,  # noqa: F811
) -> None:
    claim()
    Run.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert runs.reap() == 1
    assert read()[of("leases_reaped_total")] == 1


def test_only_workers_that_live_are_counted(read: Callable[[], dict[Sample, float]]) -> None:
    for name in ("alive", "silent"):
        register_worker(name=name, ability=Ability("bubblewrap", True))
    register_worker(name="bare", ability=Ability("process", False))
    Worker.objects.filter(name="silent").update(seen_at=timezone.now() - timedelta(hours=1))
    seen = read()
    assert seen[of("workers", can_run_untrusted="yes")] == 1
    assert seen[of("workers", can_run_untrusted="no")] == 1


def test_the_number_of_queries_does_not_grow(
    read: Callable[[], dict[Sample, float]],
    submit: Callable[[str], Submission],  # noqa: F811
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(N_QUERIES):
        read()
    for name in ("first", "second", "third"):
        submit(name)
    with django_assert_num_queries(N_QUERIES):
        read()


def test_a_worker_process_serves_its_own_metrics_at_its_slots_port(settings: Settings) -> None:
    settings.METRICS_PORT = free_port()
    metrics.serve(0)
    metrics.observe_stage("generating", 3.0)
    metrics.run_ended("scored", 20.0)
    metrics.sandbox_started(0.2)
    metrics.scorer_asked(is_hit=True)
    metrics.scorer_restarted("memory")
    answer = requests.get(f"http://127.0.0.1:{settings.METRICS_PORT}/metrics", timeout=5)
    seen = samples(answer.text)
    assert seen[of("stage_duration_seconds_count", stage="generating")] >= 1
    assert seen[of("run_duration_seconds_sum", state="scored")] >= 20
    assert seen[of("sandbox_start_seconds_bucket", le="0.25")] >= 1
    assert seen[of("scorer_cache_requests_total", result="hit")] >= 1
    assert seen[of("scorer_restarts_total", reason="memory")] >= 1


def test_a_taken_port_is_told_by_its_setting_and_stops_nothing(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings.METRICS_PORT = taken.getsockname()[1] - 3
        metrics.serve(3)
    assert "PASTICHE_METRICS_PORT" in caplog.text


def test_no_port_means_no_server(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.METRICS_PORT = 0
    before = threading.active_count()
    metrics.serve(0)
    assert threading.active_count() == before


def test_every_metric_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    ours = [family.name for family in metrics.REGISTRY.collect() if family.name.startswith("pastiche_")]
    theirs = [family.name for family in Collector(EMPTY).collect()]
    assert len(ours) == 7
    assert [name for name in ours + theirs if f"`{name}" not in manual] == []
