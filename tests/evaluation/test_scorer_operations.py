"""What the warm scorer does on request: keep datasets open, put parts together, look for signs of gaming."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.collected_files import read_collected
from evaluation.images import read_rgb, write_png
from evaluation.pairs import Pair, read_pairs
from evaluation.scorer_service import OPEN_LIMIT, ScorerService
from evaluation.spec import MetricSuite, load_suite
from tests.conftest import SIZE, write_dataset

Ask = Callable[..., dict[str, Any]]


def start() -> Ask:
    """Return a function that asks a scorer in this process, one that has not seen anything yet."""
    service = ScorerService()

    def ask(**fields: object) -> dict[str, Any]:
        return json.loads(service.answer(json.dumps(fields).encode()))

    return ask


def test_only_the_datasets_used_last_stay_open(dataset: Path, suite: MetricSuite) -> None:
    ask, keys = start(), []
    for version in range(1, OPEN_LIMIT + 2):
        text = suite.to_json().replace('"version":1', f'"version":{version}')
        keys.append(ask(op="open", suite=text, pairs=str(dataset), split="public")["key"])
    empty: dict[str, object] = {"op": "sets", "run": "one", "outputs": {}, "values": {}}
    assert ask(**empty, key=keys[0])["error"]["code"] == "NOT_OPEN"
    assert ask(**empty, key=keys[-1])["ok"]


def shifted(folder: Path, scorer_pairs: tuple[Pair, ...]) -> dict[str, str]:
    """Write a picture for each pair, its content image moved, and return their paths."""
    folder.mkdir()
    for pair in scorer_pairs:
        write_png(np.roll(read_rgb(pair.content), 4, axis=0), folder / f"{pair.id}.png")
    return {pair.id: str(folder / f"{pair.id}.png") for pair in scorer_pairs}


def test_parts_scored_apart_give_the_numbers_of_the_whole_bit_for_bit(
    dataset: Path, suite: MetricSuite, tmp_path: Path
) -> None:
    text = replace(suite, set_columns=("kid_backbone",)).to_json()
    pairs = read_pairs(dataset, "hidden")
    outputs = shifted(tmp_path / "outputs", pairs)
    names = list(outputs)

    def score(ask: Ask, chosen: list[str]) -> tuple[str, dict[str, object]]:
        key = ask(op="open", suite=text, pairs=str(dataset), split="hidden")["key"]
        found = {
            name: ask(op="score", key=key, run="r", pair_id=name, output=outputs[name])["values"]
            for name in chosen
        }
        return key, found

    alone = start()
    key, values = score(alone, names)
    expected = alone(op="sets", key=key, run="r", outputs=outputs, values=values)["splits"]
    assert expected["hidden"]["kid_backbone"]["n"] == 4
    parts = [names[2:], names[:2]]
    for number, part in enumerate(parts):
        helper = start()
        score(helper, part)
        assert helper(op="export", key=key, run="r", path=str(tmp_path / f"{number}.npz"))["ok"]
    merger = start()
    merger(op="open", suite=text, pairs=str(dataset), split="hidden")
    for number in range(2):
        assert merger(op="import", key=key, run="r", path=str(tmp_path / f"{number}.npz"))["ok"]
    nowhere = {name: str(tmp_path / "gone.png") for name in outputs}  # none of them is looked at again
    found = merger(op="sets", key=key, run="r", outputs=nowhere, values=dict(reversed(values.items())))
    assert found["splits"] == expected


def test_an_export_of_named_outputs_holds_exactly_these_even_after_a_new_start(
    dataset: Path, suite: MetricSuite, tmp_path: Path
) -> None:
    text = replace(suite, set_columns=("kid_backbone",)).to_json()
    outputs, files = shifted(tmp_path / "outputs", read_pairs(dataset, "hidden")), []
    one, two, three, *_ = outputs
    for number, seen in enumerate(([one, two, three], [one])):
        ask = start()
        key = ask(op="open", suite=text, pairs=str(dataset), split="hidden")["key"]
        for name in seen:
            ask(op="score", key=key, run="r", pair_id=name, output=outputs[name])
        files.append(tmp_path / f"{number}.npz")
        chosen = {name: outputs[name] for name in (one, two)}
        assert ask(op="export", key=key, run="r", path=str(files[-1]), outputs=chosen)["ok"]
    assert list(read_collected(files[0])) == [one, two]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_suite_without_set_columns_exports_nothing(
    dataset: Path, suite: MetricSuite, tmp_path: Path
) -> None:
    ask = start()
    key = ask(op="open", suite=suite.to_json(), pairs=str(dataset), split="hidden")["key"]
    outputs = shifted(tmp_path / "outputs", read_pairs(dataset, "hidden"))
    for name, path in outputs.items():
        assert ask(op="score", key=key, run="r", pair_id=name, output=path)["ok"]
    assert ask(op="export", key=key, run="r", path=str(tmp_path / "part.npz"))["ok"]
    assert read_collected(tmp_path / "part.npz") == {}
    assert ask(op="import", key=key, run="r", path=str(tmp_path / "part.npz"))["ok"]
    assert ask(op="sets", key=key, run="r", outputs=outputs, values={})["splits"] == {}


def test_a_part_that_cannot_be_read_is_refused(dataset: Path, suite: MetricSuite, tmp_path: Path) -> None:
    ask = start()
    key = ask(op="open", suite=suite.to_json(), pairs=str(dataset))["key"]
    (tmp_path / "part.npz").write_text("nothing")
    answer = ask(op="import", key=key, run="r", path=str(tmp_path / "part.npz"))
    assert answer["error"]["code"] == "INVALID_STATISTICS"


@pytest.fixture(scope="module")
def reviewer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ask, dict[str, Any]]:
    """A scorer and a question: content images handed in as outputs, on 4 public and 12 hidden pairs."""
    folder = write_dataset(tmp_path_factory.mktemp("larger"), n_public=4, hidden=(3, 4))
    suite, ask = replace(load_suite("sts-demo-1"), name="sts-test", size=SIZE), start()
    pairs = read_pairs(folder)
    return ask, {
        "op": "review",
        "key": ask(op="open", suite=suite.to_json(), pairs=str(folder))["key"],
        "outputs": {pair.id: str(pair.content) for pair in pairs},
        "values": {pair.id: {"style": 0.0, "headline": 0.0, "jitter_gain": 0.0} for pair in pairs},
        "usual": None,
        "most": 24,
        "seed": 0,
    }


def review(reviewer: tuple[Ask, dict[str, Any]], **changes: object) -> dict[str, Any]:
    """Ask the question, with changes."""
    ask, question = reviewer
    return ask(**question | changes)


def test_a_review_answers_with_the_raised_flags_alone(reviewer: tuple[Ask, dict[str, Any]]) -> None:
    flags = {flag["code"]: flag for flag in review(reviewer)["flags"]}
    assert set(flags) == {"COPY_CONTENT", "IGNORES_STYLE"}
    assert set(flags["COPY_CONTENT"]) == {"code", "strength", "threshold", "sentence"}
    assert (flags["COPY_CONTENT"]["strength"], flags["COPY_CONTENT"]["threshold"]) == (1.0, 0.5)
    assert "On 16 of 16 pairs" in flags["COPY_CONTENT"]["sentence"]
    assert "On 9 of 9 pairs" in str(review(reviewer, most=9)["flags"])


def test_what_is_usual_tells_memory_from_easy_styles(reviewer: tuple[Ask, dict[str, Any]]) -> None:
    is_public = {name: number < 4 for number, name in enumerate(sorted(reviewer[1]["outputs"]))}
    values = {name: {"style": 0.8 if public else 0.4} for name, public in is_public.items()}

    def codes(usual: dict[str, float] | None) -> set[str]:
        answer = review(reviewer, values=values, usual=usual)
        return {flag["code"] for flag in answer["flags"]} & {"MEMORIZES"}

    assert codes(None) == set()
    assert codes(dict.fromkeys(is_public, 0.4)) == {"MEMORIZES"}
    assert codes({name: 0.7 if public else 0.3 for name, public in is_public.items()}) == set()
    assert codes({}) == set()  # nobody else has an answer to compare with


def test_invalid_pairs_are_not_reviewed_and_none_is_no_sign(reviewer: tuple[Ask, dict[str, Any]]) -> None:
    values = dict(list(reviewer[1]["values"].items())[:9])
    assert "On 9 of 9 pairs" in str(review(reviewer, values=values)["flags"])
    assert review(reviewer, values={})["flags"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"most": -1},
        {"most": True},
        {"seed": 1.5},
        {"usual": []},
        {"usual": {"p000": "x"}},
        {"values": {"p000": 1}},
    ],
)
def test_a_senseless_review_is_refused(
    reviewer: tuple[Ask, dict[str, Any]], wrong: dict[str, object]
) -> None:
    assert review(reviewer, **wrong)["error"]["code"] == "BAD_REQUEST"
