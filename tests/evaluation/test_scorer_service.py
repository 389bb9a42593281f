"""The warm scorer, as a real process: answers, refusals, clean output, end of input."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.images import read_rgb, write_png
from evaluation.output_sets import Collected
from evaluation.pairs import read_pairs
from evaluation.report import PairScore
from evaluation.scoring import Scorer
from evaluation.spec import MetricSuite


class Client:
    """Speaks to one scorer process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "evaluation", "scorer", "--threads", "1"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def send(self, line: bytes) -> dict:  # type: ignore[type-arg]
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ask(self, **fields: object) -> dict:  # type: ignore[type-arg]
        return self.send(json.dumps(fields).encode())


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    client = Client()
    yield client
    rest, log = client.process.communicate()
    assert rest == b""
    assert client.process.returncode == 0, log.decode()


def test_it_opens_and_scores_like_the_library(
    client: Client, dataset: Path, suite: MetricSuite, tmp_path: Path
) -> None:
    opened = client.ask(op="open", suite=suite.to_json(), pairs=str(dataset), split="hidden", cache=None)
    assert (opened["ok"], opened["n"]) == (True, 4)
    scorer = Scorer(suite, read_pairs(dataset, "hidden"))
    for pair in scorer.pairs:
        stylized = np.roll(read_rgb(pair.content), 4, axis=0)
        write_png(stylized, tmp_path / "output.png")
        answer = client.ask(
            op="score",
            key=opened["key"],
            run="one",
            pair_id=pair.id,
            output=str(tmp_path / "output.png"),
            seconds=0.5,
        )
        assert answer["ok"]
        assert answer["values"] == pytest.approx(scorer.score_pair(pair.id, stylized, 0.5).values, rel=1e-6)


def test_sets_are_measured_over_one_run_even_after_a_new_start(
    client: Client, dataset: Path, suite: MetricSuite, tmp_path: Path
) -> None:
    suite = replace(suite, set_columns=("kid_backbone",))
    key = client.ask(op="open", suite=suite.to_json(), pairs=str(dataset), split="hidden")["key"]
    scorer, outputs, values = Scorer(suite, read_pairs(dataset, "hidden")), {}, {}
    collected: Collected = {}
    for pair in scorer.pairs:
        outputs[pair.id] = str(tmp_path / f"{pair.id}.png")
        write_png(np.roll(read_rgb(pair.content), 4, axis=0), Path(outputs[pair.id]))
        score = scorer.score_pair(pair.id, read_rgb(Path(outputs[pair.id])), collected=collected)
        values[pair.id] = dict(score.values)
    expected = scorer.build_report([PairScore(name, row) for name, row in values.items()], collected).rows[-1]
    for scored_before in (0, 2, 4):  # the rest is looked at again
        run = f"run {scored_before}"
        for pair_id in list(outputs)[:scored_before]:
            assert client.ask(op="score", key=key, run=run, pair_id=pair_id, output=outputs[pair_id])["ok"]
        found = client.ask(op="sets", key=key, run=run, outputs=outputs, values=values)["splits"]["hidden"]
        assert found["kid_backbone"]["value"] == pytest.approx(expected.value, rel=1e-6)
        assert found["kid_backbone"]["n"] == 4


def test_opening_again_is_the_same_dataset_and_warm(
    client: Client, dataset: Path, suite: MetricSuite, tmp_path: Path
) -> None:
    first, second = (
        client.ask(op="open", suite=suite.to_json(), pairs=str(dataset), cache=str(tmp_path / "cache"))
        for _ in range(2)
    )
    assert first["key"] == second["key"]
    assert (first["warm"], second["warm"]) == (False, True)
    assert {first["key"]} != {
        client.ask(op="open", suite=suite.to_json(), pairs=str(dataset), split="public")["key"]
    }


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b"[]",
        b"{}",
        b'{"op": "fly"}',
        b'{"op": 7}',
        b'{"op": "open"}',
        b'{"op": "score", "key": 1}',
        b'{"op": "ping", "x": NaN}',
        b'{"op": "open", "suite": "{}", "pairs": ""}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_bad_requests_are_answered_and_survived(client: Client, line: bytes) -> None:
    answer = client.send(line)
    assert answer["ok"] is False
    assert answer["error"]["code"] in ("BAD_REQUEST", "INVALID_SUITE")
    assert client.ask(op="ping", id="after")["id"] == "after"


def test_errors_carry_their_code(client: Client, dataset: Path, suite: MetricSuite, tmp_path: Path) -> None:
    key = client.ask(op="open", suite=suite.to_json(), pairs=str(dataset))["key"]
    write_png(np.zeros((10, 12, 3), np.uint8), tmp_path / "small.png")
    (tmp_path / "text.png").write_text("no picture")

    def code(**fields: object) -> str:
        return str(client.ask(**fields)["error"]["code"])

    small = {
        "op": "score",
        "key": key,
        "run": "one",
        "pair_id": "p000",
        "output": str(tmp_path / "small.png"),
    }
    assert code(**small) == "INVALID_IMAGE"
    assert code(**small | {"output": str(tmp_path / "text.png")}) == "INVALID_IMAGE"
    assert code(**small | {"output": str(tmp_path / "none.png")}) == "INVALID_IMAGE"
    write_png(read_rgb(dataset / "content/public0.png"), tmp_path / "good.png")
    assert code(**small | {"output": str(tmp_path / "good.png"), "pair_id": "p999"}) == "INVALID_PAIRS"
    assert code(**small | {"output": str(tmp_path / "good.png"), "seconds": "fast"}) == "BAD_REQUEST"
    assert code(**small | {"output": str(tmp_path / "good.png"), "seconds": -1}) == "INVALID_TENSOR"
    assert code(**small | {"key": "0" * 64}) == "NOT_OPEN"
    assert code(op="sets", key=key, run="one", outputs=[], values={}) == "BAD_REQUEST"
    assert code(op="open", suite=suite.to_json(), pairs=str(tmp_path / "none")) == "INVALID_PAIRS"
    assert code(op="open", suite="{}", pairs=str(dataset)) == "INVALID_SUITE"


def test_it_ends_quietly_when_nobody_reads_the_answers() -> None:
    other = Client()
    assert other.process.stdin is not None
    assert other.process.stdout is not None
    assert other.process.stderr is not None
    other.process.stdout.close()
    other.process.stdin.write(b'{"op": "ping"}\n' * 3)
    other.process.stdin.close()
    assert other.process.stderr.read() == b""
    other.process.stderr.close()
    assert other.process.wait() == 0
