"""A worker on another machine: it is told the addresses of database, broker and storage, and nothing else."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from tests.conftest import write_dataset
from tests.s3 import BUCKET, ObjectStorage, object_storage
from tests.servers import has_redis, postgres_programs, postgres_server, redis_server
from tests.walks.house import ROOT, House, house

pytestmark = [
    pytest.mark.walk,
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
    pytest.mark.skipif(
        postgres_programs() is None or not has_redis(),
        reason="PostgreSQL's or Redis' server programs are not installed",
    ),
]
ENDED = ("scored", "failed", "cancelled")


@pytest.fixture
def storage() -> Iterator[ObjectStorage]:
    """The bucket that both machines use."""
    with object_storage() as made:
        yield made


@pytest.fixture
def machines(storage: ObjectStorage, tmp_path: Path) -> Iterator[tuple[House, House]]:
    """One with web server and scheduler, one with a worker; they share servers and no folder."""
    with ExitStack() as stack:
        addresses = storage.variables | {
            "PASTICHE_DATABASE_URL": stack.enter_context(postgres_server()),
            "PASTICHE_BROKER_URL": stack.enter_context(redis_server()),
        }
        dataset = write_dataset(tmp_path / "dataset", size=256)
        here = stack.enter_context(house(tmp_path / "here", dataset, **addresses))
        (tmp_path / "there").mkdir()
        there = House(
            tmp_path / "there",
            {
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
                "PASTICHE_DATA_DIR": str(tmp_path / "there" / "data"),
                "PASTICHE_LOG_FORMAT": "json",
                "PASTICHE_THREADS": "1",
            }
            | addresses,
        )
        here.start("web", "scheduler")
        there.start("worker")
        try:
            yield here, there
        finally:
            there.stop("worker")


def test_an_entry_is_scored_by_a_worker_that_knows_three_addresses(
    machines: tuple[House, House], storage: ObjectStorage, make_archive: Callable[..., Path]
) -> None:
    here, there = machines
    session = requests.Session()
    login = {"username": "rosalba", "password": "a long password 1", "name": "walk"}
    token = session.post(f"{here.address}/api/v1/tokens/", json=login, timeout=30).json()["token"]
    session.headers["Authorization"] = f"Token {token}"
    with make_archive().open("rb") as archive:
        answer = session.post(
            f"{here.address}/api/v1/submissions/",
            data={"competition": "small"},
            files={"archive": archive},
            timeout=60,
        )
    assert answer.status_code == 201, answer.text
    place = f"{here.address}/api/v1/submissions/{answer.json()['id']}/"

    def run() -> dict[str, object]:
        return dict(session.get(place, timeout=30).json()["run"])

    here.until(lambda: run()["state"] in ENDED, seconds=180)
    assert run()["state"] == "scored", there.log
    assert not (here.folder / "data" / "artifacts").exists()
    assert not (there.folder / "data" / "artifacts").exists()
    assert storage.client().list_objects_v2(Bucket=BUCKET)["KeyCount"] > 6

    lines = [json.loads(line) for line in there.log.splitlines() if line.startswith("{")]
    assert {line["run"] for line in lines if "run" in line} == {run()["id"]}
    assert storage.secret not in there.log + here.log
