"""From an HTTP upload to a row on the board, through real processes and the real sandbox, with either backend."""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import onnx
import pytest
import requests
from onnx import TensorProto, helper

from evaluation.archive import pack_archive
from tests.conftest import write_dataset
from tests.servers import has_redis, postgres_programs, postgres_server, redis_server
from tests.walks.house import House, house

pytestmark = [
    pytest.mark.walk,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]

BLEND = """
class Model:
    def __init__(self, bundle_dir, device):
        self.folder = bundle_dir
    def stylize(self, content, style):
        {body}
"""
FAILING = {
    "CRASHED": "import os; os._exit(1)",
    "PAIR_TIMEOUT": "while True: pass",
    "BAD_OUTPUT": "return content[:32]",
    "MISSING_FILE": "return open(self.folder + '/colors.npy')",
}
ENDED = ("scored", "failed", "cancelled")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house: on SQLite and files, and on PostgreSQL and Redis, by environment variables alone."""
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        addresses = {}
        if request.param == "postgres":
            if postgres_programs() is None or not has_redis():
                pytest.skip("PostgreSQL's or Redis' server programs are not installed")
            addresses["PASTICHE_DATABASE_URL"] = stack.enter_context(postgres_server())
            addresses["PASTICHE_BROKER_URL"] = stack.enter_context(redis_server())
        made = stack.enter_context(
            house(folder / "house", write_dataset(folder / "dataset", size=256), **addresses)
        )
        made.start("web", "worker", "scheduler")
        yield made


@pytest.fixture(scope="module")
def api(running: House) -> requests.Session:
    """An API session with a token got by password."""
    session = requests.Session()
    answer = session.post(
        f"{running.address}/api/v1/tokens/",
        json={"username": "rosalba", "password": "a long password 1", "name": "walk"},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    session.headers["Authorization"] = f"Token {answer.json()['token']}"
    return session


def onnx_archive(path: Path) -> Path:
    """Write an ONNX generator by hand: seven parts content, three parts style."""
    shape = [1, 3, "h", "w"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("content", "style")]
    output = helper.make_tensor_value_info("stylized", TensorProto.FLOAT, shape)
    weights = [helper.make_tensor(name, TensorProto.FLOAT, [], [w]) for name, w in (("a", 0.7), ("b", 0.3))]
    nodes = [
        helper.make_node("Mul", ["content", "a"], ["x"]),
        helper.make_node("Mul", ["style", "b"], ["y"]),
        helper.make_node("Add", ["x", "y"], ["stylized"]),
    ]
    graph = helper.make_graph(nodes, "blend", inputs, [output], weights)
    data = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10
    ).SerializeToString()
    manifest = {
        "schema": 1,
        "name": "onnx-blend",
        "version": "1.0.0",
        "format": "onnx",
        "entry": "blend.onnx",
        "runtime": "py311-torch215",
        "io": {"dtype": "float32", "layout": "NCHW", "max_side": 512},
        "deterministic": True,
        "license": "MIT",
    }
    onnx.checker.check_model(onnx.load_from_string(data))
    pack_archive({"manifest.json": json.dumps(manifest).encode(), "blend.onnx": data}, path)
    return path


def upload(running: House, api: requests.Session, path: Path) -> dict[str, object]:
    """Upload an archive and wait until its run has ended; return the submission."""
    with path.open("rb") as archive:
        answer = api.post(
            f"{running.address}/api/v1/submissions/",
            data={"competition": "small"},
            files={"archive": archive},
            timeout=60,
        )
    assert answer.status_code == 201, answer.text
    place = f"{running.address}/api/v1/submissions/{answer.json()['id']}/"
    running.until(lambda: api.get(place, timeout=30).json()["run"]["state"] in ENDED, seconds=120)
    submission: dict[str, object] = api.get(place, timeout=30).json()
    return submission


def test_generators_of_both_formats_reach_the_board(
    running: House, api: requests.Session, make_archive: Callable[..., Path], tmp_path: Path
) -> None:
    python = upload(
        running, api, make_archive("python-blend", BLEND.format(body="return content // 2 + style // 2"))
    )
    by_hand = upload(running, api, onnx_archive(tmp_path / "onnx-blend.zip"))
    for submission in (python, by_hand):
        assert submission["run"]["state"] == "scored", (submission, running.log[-3000:])  # type: ignore[index]
    board = api.get(f"{running.address}/api/v1/competitions/small/leaderboard/", timeout=30).json()
    (row,) = board["rows"]  # one team, one row: its best
    assert row["rank"] == 1
    assert 0 < row["headline"] < 1
    page = requests.get(f"{running.address}/c/small/leaderboard/", timeout=30)
    assert page.status_code == 200
    assert str(row["name"]) in page.text
    assert submission_scores(running, api, python)["headline"]["value"] > 0


def submission_scores(
    running: House, api: requests.Session, submission: dict[str, object]
) -> dict[str, dict[str, float]]:
    """Read the scores of a submission's run."""
    run = submission["run"]["id"]  # type: ignore[index]
    scores: dict[str, dict[str, float]] = api.get(
        f"{running.address}/api/v1/runs/{run}/scores/", timeout=30
    ).json()["scores"]
    return scores


@pytest.mark.parametrize("code", FAILING)
def test_failing_generators_get_their_own_code_and_no_score(
    running: House, api: requests.Session, make_archive: Callable[..., Path], code: str
) -> None:
    submission = upload(
        running, api, make_archive(code.lower().replace("_", "-"), BLEND.format(body=FAILING[code]))
    )
    run = submission["run"]
    assert run["state"] == "failed"  # type: ignore[index]
    failure = run["failure"]  # type: ignore[index]
    assert (failure["code"], failure["fault"], failure["charged"]) == (code, "participant", True)
    assert failure["sentence"]
    assert failure["advice"]
    answer = api.get(f"{running.address}/api/v1/runs/{run['id']}/scores/", timeout=30)  # type: ignore[index]
    assert answer.status_code == 404


def test_a_worker_that_is_killed_loses_nothing(
    running: House, api: requests.Session, make_archive: Callable[..., Path]
) -> None:
    body = "import time; time.sleep(1); return style // 4 + content // 2"
    with make_archive("slow", BLEND.format(body=body)).open("rb") as archive:
        answer = api.post(
            f"{running.address}/api/v1/submissions/",
            data={"competition": "small"},
            files={"archive": archive},
            timeout=60,
        )
    place = f"{running.address}/api/v1/submissions/{answer.json()['id']}/"
    running.until(lambda: api.get(place, timeout=30).json()["run"]["pairs_done"] >= 1)
    running.stop("worker", how=signal.SIGKILL)
    running.start("worker")
    running.until(lambda: api.get(place, timeout=30).json()["run"]["state"] in ENDED, seconds=120)
    run = api.get(place, timeout=30).json()["run"]
    assert (run["state"], run["attempt"]) == ("scored", 2)


def test_scores_equal_those_of_the_command_line(
    running: House, api: requests.Session, make_archive: Callable[..., Path], tmp_path: Path
) -> None:
    archive = make_archive("parity", BLEND.format(body="return content // 4 + style // 2"))
    submission = upload(running, api, archive)
    dataset, outputs = running.folder.parent / "dataset", tmp_path / "outputs"
    common = ["--pairs", str(dataset), "--split", "hidden"]
    running.evaluation("generate", str(archive), "--out", str(outputs), *common)
    by_hand = json.loads(
        running.evaluation("score", str(outputs), "--suite", "sts-demo-2", "--json", *common)
    )
    stored = submission_scores(running, api, submission)
    compared = [name for name in stored if name != "seconds"]
    assert {"headline", "content", "style", "gram", "ssim", "kid_backbone"} <= set(compared)
    values = {row["metric"]: row["value"] for row in by_hand["rows"] if row["split"] in ("", "hidden")}
    for name in compared:
        assert stored[name]["value"] == pytest.approx(values[name], abs=1e-6), name
