"""Many hands: a run is cut into shards, workers take them, and the numbers are those of one worker alone."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from competitions.errors import StaleFence
from competitions.models import Outbox, Run, RunOutput, RunShard
from competitions.services import results, runs, shards
from tests.workers.stations import BARE, SWAP, claim, evaluate, here, make_station, scorer, submit
from workers import pipeline
from workers.scorer import ScorerProcess
from workers.station import Station

__all__ = ["here", "scorer", "submit"]
pytestmark = pytest.mark.django_db(transaction=True)

PAIRS = ("p000", "p001", "p002", "p003", "p004", "p005")


def scores_of(run: Run) -> dict[tuple[str, str], tuple[float, ...]]:
    """Return all aggregates of a run but those that a clock measured."""
    found = run.scores.exclude(metric="seconds").values_list("metric", "split", "value", "low", "high", "n")
    return {(metric, split): tuple(numbers) for metric, split, *numbers in found}


def test_shards_give_the_numbers_of_one_piece(
    here: Station, submit: Callable[..., Run], settings: Settings
) -> None:
    whole = submit(version="1.0.0")
    evaluate(here)
    settings.SHARD_PAIRS = 2
    parts = submit(version="1.0.1")
    evaluate(here)
    assert RunShard.objects.filter(run=parts, state="done").count() == 3
    assert scores_of(parts) == scores_of(whole)
    assert scores_of(parts)
    assert [part["index"] for part in Run.objects.get(pk=parts.pk).manifest["shards"]] == [0, 1, 2]


def test_the_first_shard_holds_the_public_pairs(submit: Callable[..., Run], here: Station) -> None:
    submit()
    held = claim(here)
    shards.plan(held, PAIRS, size=4)
    first = shards.take(held)
    assert first is not None
    assert first.pairs == PAIRS[:3]  # two equal parts rather than four pairs and two


def test_others_help_and_the_owner_waits_for_them(
    submit: Callable[..., Run], here: Station, scorer: ScorerProcess, settings: Settings
) -> None:
    settings.SHARD_PAIRS = 2
    slow = SWAP.replace('print("a pair", file=sys.stderr)', "import time; time.sleep(0.5)")
    run = submit(slow)
    held = claim(here)
    owner = threading.Thread(target=_in_thread, args=(lambda: pipeline.run(held, here),))
    owner.start()
    other = make_station(scorer, "helper")
    while not (shard := shards.take_any(worker=other.name, ability=BARE)):
        assert owner.is_alive()
    pipeline.assist(shard, other)
    owner.join(timeout=60)
    run.refresh_from_db()
    assert (run.state, run.n_valid, run.pairs_done) == ("scored", 6, 6)
    assert {part["worker"] for part in run.manifest["shards"]} == {"station", "helper"}


def test_what_a_lost_helper_still_writes_is_refused(
    submit: Callable[..., Run], here: Station, tmp_path: Path
) -> None:
    run = submit()
    held = claim(here)
    shards.plan(held, PAIRS, size=3)
    _bring_to_generating(held)
    lost = shards.take_any(worker="lost", ability=BARE)
    assert lost is not None
    RunShard.objects.filter(pk=lost.shard_id).update(lease_expires_at="2000-01-01T00:00Z")
    shards.reap(held)
    again = shards.take(held)
    assert again is not None
    assert again.shard_id == lost.shard_id
    assert not shards.keep_alive(lost, pairs_done=2)
    picture = tmp_path / "p.png"
    picture.write_bytes(b"picture")
    with pytest.raises(StaleFence):
        results.store_output(lost, pair="p000", path=picture, seconds=1.0)
    with pytest.raises(StaleFence):
        shards.finish(lost, pair_scores=picture, statistics=None, provenance={})
    assert not RunOutput.objects.filter(run=run).exists()
    assert shards.keep_alive(again, pairs_done=0)


def test_a_helper_whose_run_was_taken_back_is_refused(submit: Callable[..., Run], here: Station) -> None:
    submit()
    held = claim(here)
    shards.plan(held, PAIRS, size=3)
    _bring_to_generating(held)
    shard = shards.take_any(worker="helper", ability=BARE)
    assert shard is not None
    runs.hand_back(held)
    assert not shards.keep_alive(shard, pairs_done=1)
    assert shards.take_any(worker="other", ability=BARE) is None
    assert claim(here).fence > held.fence


def test_a_shard_that_fails_for_our_fault_is_open_again_and_at_last_gives_the_run_back(
    submit: Callable[..., Run], here: Station, settings: Settings
) -> None:
    run = submit()
    held = claim(here)
    shards.plan(held, PAIRS, size=6)
    _bring_to_generating(held)
    for left in reversed(range(settings.MAX_ATTEMPTS)):
        shard = shards.take_any(worker="helper", ability=BARE)
        assert shard is not None
        shards.release(shard, detail="disk full", is_fault=True)
        run.refresh_from_db()
        assert run.state == ("generating" if left else "queued")


def test_a_shard_whose_helper_stops_costs_no_attempt(submit: Callable[..., Run], here: Station) -> None:
    submit()
    held = claim(here)
    shards.plan(held, PAIRS, size=6)
    _bring_to_generating(held)
    shard = shards.take_any(worker="helper", ability=BARE)
    assert shard is not None
    shards.release(shard, detail="stops", is_fault=False)
    row = RunShard.objects.get()
    assert (row.state, row.attempts) == ("open", 0)


def test_lost_invitations_are_made_good(submit: Callable[..., Run], here: Station) -> None:
    submit()
    held = claim(here)
    shards.plan(held, PAIRS, size=2)
    _bring_to_generating(held)
    Outbox.objects.all().delete()
    shards.promise_assistance_if_open()
    assert Outbox.objects.filter(topic="assist").count() <= 1  # sent at once where the broker is up
    shard = shards.take_any(worker="helper", ability=BARE)
    assert shard is not None


def test_a_worker_without_sandbox_helps_only_with_shipped_archives(
    submit: Callable[..., Run], here: Station
) -> None:
    run = submit()
    held = claim(here)
    shards.plan(held, PAIRS, size=6)
    _bring_to_generating(held)
    Run.objects.filter(pk=run.pk).update(needs_sandbox=True)
    assert shards.take_any(worker="helper", ability=BARE) is None


def _bring_to_generating(held: runs.Claim) -> None:
    for state in ("loading", "generating"):
        runs.advance(held, runs.RunState(state))


def _in_thread(work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        connection.close()
