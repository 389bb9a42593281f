"""`manage.py runs`: what the operator sees and does at night."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from competitions.models import Phase, QuotaEntry, Run
from competitions.queueing import Needs
from competitions.selectors.status import NO_WORKER
from competitions.services import queue, results, runs
from competitions.services.runs import Claim
from tests.crowds import WORKER, enqueue, make_phase

pytestmark = pytest.mark.django_db


@pytest.fixture
def phase() -> Phase:
    """A phase that nobody looks into."""
    return make_phase()


def command(*arguments: object) -> str:
    """Run the command and return what it says."""
    said = StringIO()
    call_command("runs", *map(str, arguments), stdout=said)
    return said.getvalue()


def take() -> Claim:
    """Have a worker take the next run."""
    held = queue.claim(worker="atelier-0", ability=WORKER)
    assert held is not None
    return held


def break_it(run: Run) -> None:
    """End a queued run by a fault of ours."""
    held = take()
    Run.objects.filter(pk=run.pk).update(attempts=99)
    runs.fail(held, code="INFRA", detail="disk full")


def test_the_list_has_a_line_for_each_run_newest_first(phase: Phase) -> None:
    first, second = enqueue(phase, "monet"), enqueue(phase, "hals")
    take()
    lines = command("list").splitlines()
    assert [line[:8] for line in lines] == [str(second.pk)[:8], str(first.pk)[:8]]
    assert lines[1].split()[1:3] == ["claimed", "score"]
    assert lines[1].endswith("long/main  monet  entry-of-monet  atelier-0")


@pytest.mark.parametrize(
    ("options", "teams"),
    [
        (["--state=queued"], ["hals"]),
        (["--state=scored"], []),
        (["--team=monet"], ["monet"]),
        (["--phase=long"], ["hals", "monet"]),
        (["--phase=long/main", "--state=claimed"], ["monet"]),
        (["--phase=long/other"], []),
    ],
)
def test_the_list_is_narrowed_by_state_phase_and_team(
    phase: Phase, options: list[str], teams: list[str]
) -> None:
    for team in ("monet", "hals"):
        enqueue(phase, team)
    take()
    assert [row["team"] for row in json.loads(command("list", "--json", *options))] == teams


def test_an_empty_list_says_so_and_an_unknown_state_is_refused(phase: Phase) -> None:
    assert command("list") == "There are no such runs.\n"
    with pytest.raises(CommandError, match="INVALID_INPUT: .*'running'.*Choose one of queued"):
        command("list", "--state=running")


def test_a_run_is_shown_with_why_it_waits(phase: Phase) -> None:
    run = enqueue(phase, "monet")
    said = command("show", str(run.pk)[:8])
    assert f"waits because: {NO_WORKER.reason}" in said
    assert "place 1" in said
    assert "- -> queued  test" in said
    assert "worker" not in said.replace(NO_WORKER.reason, "").replace(NO_WORKER.advice, "")


def test_a_running_run_is_shown_with_its_worker_history_and_log(phase: Phase) -> None:
    run = enqueue(phase, "monet")
    results.append_log(take(), text="secret pair\n", is_withheld=True)
    said = command("show", run.pk)
    assert "worker:        atelier-0" in said
    assert "queued -> claimed  atelier-0" in said
    assert said.endswith("end of the log:\nsecret pair\n")
    report = json.loads(command("show", run.pk, "--json"))
    assert (report["line"]["state"], report["fence"], report["quota"]) == ("claimed", 1, "reserved")
    assert report["needs"] == vars(Needs(memory_mb=phase.memory_mb))


@pytest.mark.parametrize(
    ("id_", "told"),
    [("ffffffff", "NOT_FOUND: There is no run"), ("nonsense", "INVALID_INPUT: 'nonsense' is no id")],
)
def test_an_id_of_no_run_is_refused(phase: Phase, id_: str, told: str) -> None:
    for action in ("show", "requeue", "cancel"):
        with pytest.raises(CommandError, match=told):
            command(action, id_)


def test_the_beginning_of_several_ids_is_refused(phase: Phase) -> None:
    for k in range(2):
        run = enqueue(phase, f"team-{k}")
        Run.objects.filter(pk=run.pk).update(event_count=1)
    with pytest.raises(CommandError, match="Several runs begin"):
        command("show", "")


def test_a_run_that_we_broke_is_queued_anew_for_free(phase: Phase) -> None:
    broken = enqueue(phase, "monet")
    break_it(broken)
    assert command("requeue", broken.pk).endswith(f": queued in place of {broken.pk}\n")
    again = Run.objects.get(state="queued")
    assert (again.submission, again.sequence) == (broken.submission, 2)
    assert list(QuotaEntry.objects.values_list("state", flat=True)) == ["refunded"]


def test_any_other_end_is_repeated_only_by_force(phase: Phase) -> None:
    run = enqueue(phase, "monet")
    runs.fail(take(), code="CRASHED", detail="")
    with pytest.raises(CommandError, match="ILLEGAL_TRANSITION: The run is failed, and not by a fault"):
        command("requeue", run.pk)
    command("requeue", run.pk, "--force")
    assert Run.objects.filter(state="queued").count() == 1


def test_a_run_is_taken_from_a_worker_at_work_only_by_force(phase: Phase) -> None:
    run = enqueue(phase, "monet")
    held = take()
    with pytest.raises(CommandError, match="atelier-0 is at work on it"):
        command("requeue", run.pk)
    assert command("requeue", run.pk, "--force") == f"{run.pk}: queued\n"
    run.refresh_from_db()
    assert (run.state, run.fence, run.attempts, run.lease_owner) == ("queued", held.fence + 1, 0, "")
    assert not runs.keep_alive(held)
    assert take().fence == held.fence + 2


def test_a_run_of_a_silent_worker_is_taken_without_force(phase: Phase) -> None:
    run = enqueue(phase, "monet")
    take()
    Run.objects.update(lease_expires_at=timezone.now())
    command("requeue", run.pk)
    last = run.events.order_by("sequence").last()
    assert last is not None
    assert (last.to_state, last.actor, last.detail) == ("queued", "operator", "Taken from atelier-0.")


def test_a_run_that_waits_for_its_next_try_is_made_due(phase: Phase) -> None:
    run = enqueue(phase, "monet")
    runs.fail(take(), code="INFRA", detail="disk full")
    assert queue.claim(worker="atelier-0", ability=WORKER) is None
    command("requeue", run.pk)
    assert take().run_id == run.pk


def test_a_cancelled_run_keeps_the_reason_and_costs_its_team_nothing(phase: Phase) -> None:
    run = enqueue(phase, "monet")
    take()
    assert command("cancel", run.pk, "--reason", "It hangs.") == f"{run.pk}: cancelled\n"
    assert "claimed -> cancelled  operator  It hangs." in command("show", run.pk)
    assert QuotaEntry.objects.get().state == "refunded"
    with pytest.raises(CommandError, match="ILLEGAL_TRANSITION"):
        command("cancel", run.pk)
