"""The rolling upgrade of the operators' manual, rehearsed: a worker is replaced by one of newer code during a run."""

import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import write_dataset
from tests.servers import has_redis, postgres_programs, postgres_server, redis_server
from tests.walks.house import ROOT, House, house

pytestmark = [
    pytest.mark.walk,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
    pytest.mark.skipif(
        postgres_programs() is None or not has_redis(),
        reason="PostgreSQL's or Redis' server programs are not installed",
    ),
]

N_PUBLIC, HIDDEN = 2, (3, 4)
SLOW = """
class Model:
    def __init__(self, bundle_dir, device):
        pass
    def stylize(self, content, style):
        import time; time.sleep(1.5)
        return style // 4 + content // 2
"""
FIELD = "    event_count = models.PositiveIntegerField(default=0)\n"
NEW_FIELD = "    reviewed_at = models.DateTimeField(null=True)\n"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[House]:
    """A house that was started, on PostgreSQL and Redis, as more than one machine would share them."""
    dataset = write_dataset(tmp_path / "dataset", n_public=N_PUBLIC, hidden=HIDDEN, size=256)
    with postgres_server() as database, redis_server() as broker:
        addresses = {"PASTICHE_DATABASE_URL": database, "PASTICHE_BROKER_URL": broker}
        with house(tmp_path / "house", dataset, **addresses) as made:
            made.start("web", "worker", "scheduler")
            yield made


@pytest.fixture
def newer() -> Iterator[Path]:
    """The next release: this checkout with a column more, which its own code reads with every run."""
    with tempfile.TemporaryDirectory(prefix="pastiche-newer-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the users that unpack archives have to pass through
        for room in ("platform", "competitions", "evaluation", "workers", "frontend"):
            shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "manage.py", folder)
        model = folder / "competitions" / "models" / "run.py"
        source = model.read_text()
        assert source.count(FIELD) == 1
        model.write_text(source.replace(FIELD, FIELD + NEW_FIELD))
        yield folder


def hand_in(running: House, path: Path) -> tuple[requests.Session, str]:
    """Hand an archive in; return a session and the address of the submission."""
    session = requests.Session()
    fields = {"username": "rosalba", "password": "a long password 1", "name": "walk"}
    answer = session.post(f"{running.address}/api/v1/tokens/", json=fields, timeout=30)
    session.headers["Authorization"] = f"Token {answer.json()['token']}"
    with path.open("rb") as archive:
        sent = session.post(
            f"{running.address}/api/v1/submissions/",
            data={"competition": "small"},
            files={"archive": archive},
            timeout=60,
        )
    assert sent.status_code == 201, sent.text
    return session, f"{running.address}/api/v1/submissions/{sent.json()['id']}/"


def history(running: House, run_id: str) -> list[tuple[str, str]]:
    """List the states that a run took, and who brought it there."""
    told = running.manage("runs", "show", run_id).partition("history:")[2]
    return re.findall(r"^  \S+ \S+  \S+ -> (\w+)  (\S+)", told, re.M)


def test_a_run_whose_worker_is_upgraded_ends_once(
    running: House, newer: Path, make_archive: Callable[..., Path]
) -> None:
    running.manage("makemigrations", "competitions", "--name", "newer", "--verbosity", "0", code=newer)
    running.start("successor", code=newer)
    running.until(lambda: "waiting for the database" in running.log)  # the new code came before its migration
    session, place = hand_in(running, make_archive("slow", SLOW))
    read_run = lambda: session.get(place, timeout=30).json()["run"]  # noqa: E731
    running.until(lambda: read_run()["pairs_done"] >= 1)
    running.manage("migrate", "--verbosity", "0", code=newer)
    assert read_run()["state"] == "generating"
    running.stop("worker", how=signal.SIGTERM)
    running.until(lambda: read_run()["state"] in ("scored", "failed"), seconds=120)

    run = read_run()
    n_pairs = N_PUBLIC + HIDDEN[0] * HIDDEN[1]
    assert (run["attempt"], run["pairs_done"]) == (1, n_pairs)  # being told to stop is no attempt
    steps = history(running, run["id"])
    assert [state for state, _ in steps] == [
        *("queued", "claimed", "loading", "generating"),
        *("queued", "claimed", "loading", "generating", "scoring", "publishing", "scored"),
    ]
    workers = [who for state, who in steps if state in ("claimed", "scored")]
    assert workers[0] != workers[1] == workers[2]
    scores = session.get(f"{running.address}/api/v1/runs/{run['id']}/scores/", timeout=30).json()
    assert scores["n_valid"] == n_pairs, scores
