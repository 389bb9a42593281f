"""Answers of the platform's API, as the server sends them."""

from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PYTHONPATH = f"{ROOT}:{ROOT / 'platform'}"
ME = {"username": "ada", "teams": [{"slug": "loom", "name": "The Loom"}]}
FAILURE = {
    "code": "PAIR_TIMEOUT",
    "sentence": "Too slow.",
    "advice": "Be faster.",
    "fault": "participant",
    "charged": True,
}
SCORES = {
    "suite": "sts-demo-1",
    "n": 48,
    "n_valid": 47,
    "scores": {"headline": {"value": 0.123456789012345, "low": 0.1, "high": 0.2}, "style": {"value": None}},
    "pairs": [
        {"id": "p001", "invalid": "", "seconds": 0.25, "values": {"style": 0.5, "content": 0.1}},
        {"id": "p002", "invalid": "BAD_OUTPUT", "seconds": None, "values": {}},
    ],
}
COMPETITION = {
    "slug": "demo",
    "title": "Demo [bold]cup[/bold]",
    "summary": "A small one.",
    "state": "open",
    "opens_at": "2026-01-01T00:00:00Z",
    "closes_at": "2026-12-31T00:00:00Z",
    "suite": "sts-demo-1",
    "n_public": 12,
    "n_hidden": 48,
}
PHASE = {
    "slug": "main",
    "title": "Main",
    "opens_at": "2026-01-01T00:00:00Z",
    "closes_at": "2026-12-31T00:00:00Z",
    "state": "open",
    "runs_per_day": 5,
    "limits": {"memory_mb": 4096, "pair_seconds": 10},
}
METRIC = {
    "name": "style",
    "title": "Style",
    "direction": "higher",
    "unit": "",
    "family": "style",
    "misses": "Faces.",
}
ADMISSION = {
    "competition": "demo",
    "phase": "main",
    "team": "loom",
    "quota": {"limit": 5, "used": 1, "left": 4},
}
ROW = {
    "rank": 1,
    "rank_low": 1,
    "rank_high": 3,
    "name": "adain",
    "team": "The Loom",
    "kind": "entry",
    "headline": 0.51234567,
    "headline_low": 0.5,
    "headline_high": 0.53,
    "content": 0.4,
    "style": 0.6,
    "seconds_per_image": 0.21,
    "values": {"headline": {"value": 0.51234567, "low": 0.5, "high": 0.53}},
}


def run(state: str, **fields: Any) -> dict[str, Any]:
    return {"id": "run-1", "state": state, "stage": state, "pairs_total": 48} | fields


def submission(state: str = "queued", **fields: Any) -> dict[str, Any]:
    return {"id": "sub-1", "competition": "demo", "name": "plain-copy", "run": run(state, **fields)}


def log(offset: int, text: str, **fields: Any) -> dict[str, Any]:
    return {"offset": offset, "next_offset": offset + len(text), "text": text} | fields
