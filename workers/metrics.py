"""What a worker process counts and times, in the form that Prometheus reads."""

import logging

from django.conf import settings
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server

logger = logging.getLogger(__name__)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_LONG = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000)
_SHORT = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

STAGE_SECONDS = Histogram(
    "pastiche_stage_duration_seconds",
    "Time that a run spent in a stage.",
    ["stage"],
    buckets=_LONG,
    registry=REGISTRY,
)
RUN_SECONDS = Histogram(
    "pastiche_run_duration_seconds", "Time from claim to end.", ["state"], buckets=_LONG, registry=REGISTRY
)
SANDBOX_SECONDS = Histogram(
    "pastiche_sandbox_start_seconds",
    "Time until a sandbox's generator could be spoken to.",
    buckets=_SHORT,
    registry=REGISTRY,
)
SCORER_CACHE = Counter(
    "pastiche_scorer_cache_requests",
    "Datasets that the scorer was asked to open.",
    ["result"],
    registry=REGISTRY,
)
SCORER_STARTS = Counter(
    "pastiche_scorer_restarts", "Scorers that were started anew.", ["reason"], registry=REGISTRY
)
FILE_CACHE = Counter(
    "pastiche_file_cache_requests",
    "Stored files and datasets that were asked of the disk.",
    ["result"],
    registry=REGISTRY,
)
EVICTED_BYTES = Counter("pastiche_file_cache_evicted_bytes", "Bytes freed on the disk.", registry=REGISTRY)


def serve(slot: int) -> None:
    """Let Prometheus read this process's metrics at the configured port plus its slot; a taken port is only told."""
    if not settings.METRICS_PORT:
        return
    port = settings.METRICS_PORT + slot
    try:
        start_http_server(port, addr=settings.METRICS_HOST, registry=REGISTRY)
    except OSError as error:
        logger.error(
            "PASTICHE_METRICS_PORT and PASTICHE_METRICS_HOST: nothing can be served at %s port %s (%s), so this "
            "process has no metrics",
            settings.METRICS_HOST,
            port,
            error.strerror,
        )


def observe_stage(stage: str, seconds: float) -> None:
    """Note how long a run was in a stage."""
    STAGE_SECONDS.labels(stage).observe(seconds)


def run_ended(state: str, seconds: float) -> None:
    """Note how long this worker had a run, and how that ended."""
    RUN_SECONDS.labels(state).observe(seconds)


def sandbox_started(seconds: float) -> None:
    """Note how long a sandbox took to start."""
    SANDBOX_SECONDS.observe(seconds)


def scorer_asked(*, is_hit: bool) -> None:
    """Note whether the scorer still had a dataset open."""
    SCORER_CACHE.labels("hit" if is_hit else "miss").inc()


def scorer_restarted(reason: str) -> None:
    """Note that a scorer was started anew: `ended`, `memory`."""
    SCORER_STARTS.labels(reason).inc()


def cache_asked(*, is_hit: bool) -> None:
    """Note whether a stored file or dataset was on the disk."""
    FILE_CACHE.labels("hit" if is_hit else "miss").inc()


def evicted(n_bytes: int) -> None:
    """Note that room was made on the disk."""
    EVICTED_BYTES.inc(n_bytes)
