"""What Prometheus reads from the web server: figures of the whole platform, for whoever has the token."""

from collections.abc import Iterable, Iterator
from secrets import compare_digest

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import CollectorRegistry

from competitions.selectors.operations import Backlog, Figures, figures


class Collector:
    """Turns the figures of one moment into metrics."""

    def __init__(self, seen: Figures) -> None:
        """Keep the figures."""
        self.seen = seen

    def collect(self) -> Iterator[Metric]:
        """Yield one family after the other."""
        seen = self.seen
        yield from _backlog("queue_runs", "queue", "purpose", seen.queue, "Runs that wait for a worker")
        yield from _backlog("outbox_messages", "outbox", "topic", seen.outbox, "Effects that are still due")
        running = GaugeMetricFamily(
            "pastiche_runs_running", "Runs that a worker has, by stage.", labels=["stage"]
        )
        for stage, n in seen.running.items():
            running.add_metric([stage], n)
        ended = CounterMetricFamily(
            "pastiche_runs_ended", "Runs that ended, by state and failure code.", labels=["state", "code"]
        )
        for labels, n in seen.ended.items():
            ended.add_metric(list(labels), n)
        workers = GaugeMetricFamily(
            "pastiche_workers", "Workers that gave a sign of life lately.", labels=["can_run_untrusted"]
        )
        for can, n in seen.workers.items():
            workers.add_metric(["yes" if can else "no"], n)
        quota = GaugeMetricFamily(
            "pastiche_quota_entries", "Uses of teams' quotas, by state.", labels=["state"]
        )
        for state, n in seen.quota.items():
            quota.add_metric([state], n)
        yield from (running, ended, workers, quota)
        yield CounterMetricFamily(
            "pastiche_leases_reaped", "Runs taken back from workers that fell silent.", value=seen.reaped
        )


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus; without a token in the settings there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not compare_digest(given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(Collector(figures()))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _backlog(name: str, short: str, label: str, rows: Iterable[Backlog], what: str) -> Iterator[Metric]:
    length = GaugeMetricFamily(f"pastiche_{name}", f"{what}, by {label}.", labels=[label])
    oldest = GaugeMetricFamily(
        f"pastiche_{short}_oldest_age_seconds", f"How long the oldest has waited, by {label}.", labels=[label]
    )
    for row in rows:
        length.add_metric([row.label], row.length)
        oldest.add_metric([row.label], row.oldest_seconds)
    yield from (length, oldest)
