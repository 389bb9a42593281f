"""What probes ask: does this process live, and is everything there that it needs?"""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Lock

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.places import PLACES, PROBE_SECONDS

FRESH_SECONDS = 1.0  # so that many questions cost no more than one
SILENT = "no answer"


class Lookout:
    """Looks at all places at the same time, for a bounded while, and remembers for a moment what it saw."""

    def __init__(self) -> None:
        """Start no thread yet: the web server forks first."""
        self._threads = ThreadPoolExecutor(2 * len(PLACES), thread_name_prefix="probe")
        self._lock = Lock()
        self._seen: dict[str, str] = {}
        self._seen_at = 0.0

    def look(self) -> dict[str, str]:
        """Return `ok`, or what is wrong in two words, for each place."""
        with self._lock:
            if not self._seen or time.monotonic() - self._seen_at > FRESH_SECONDS:
                asked = {name: self._threads.submit(ask) for name, ask in PLACES.items()}
                wait(asked.values(), timeout=PROBE_SECONDS)
                troubles = {name: future.result() for name, future in asked.items() if future.done()}
                self._seen = {
                    name: (trouble.state if (trouble := troubles[name]) else "ok")
                    if name in troubles
                    else SILENT
                    for name in asked
                }
                self._seen_at = time.monotonic()
            return self._seen


_lookout = Lookout()


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Say that this process lives; asks nobody else."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether database, storage and broker are there; names what is not, and nothing else about it."""
    seen = _lookout.look()
    is_ready = all(state == "ok" for state in seen.values())
    return JsonResponse({"status": "ok" if is_ready else "error"} | seen, status=200 if is_ready else 503)
