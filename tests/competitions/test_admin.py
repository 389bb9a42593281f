"""The admin shows everything and edits only what no result depends on."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse

from accounts.models import User
from competitions.models import (
    Competition,
    DatasetVersion,
    Disqualification,
    Phase,
    Run,
    RunFlag,
    Submission,
)
from competitions.services.flags import RaisedFlag, record_flags

EDITABLE = {"competition", "phase"}
REGISTERED = [model for model in admin.site._registry if model._meta.app_label == "competitions"]


@pytest.fixture
def operator(staff: User) -> Client:
    """A browser in which an operator is signed in."""
    browser = Client()
    browser.force_login(staff)
    return browser


def page(model: type[models.Model], kind: str, *arguments: object) -> str:
    """Return the address of an admin page."""
    return reverse(f"admin:competitions_{model._meta.model_name}_{kind}", args=arguments)


def test_every_table_is_registered() -> None:
    shown_inside_others = {"organizer"}
    names = {model._meta.model_name for model in apps.get_app_config("competitions").get_models()}
    assert {model._meta.model_name for model in REGISTERED} == names - shown_inside_others


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.model_name)
def test_lists_and_rows_can_be_looked_at(operator: Client, scored: Run, model: type[models.Model]) -> None:
    assert operator.get(page(model, "changelist"), {"q": "x"}).status_code == 200
    listed = operator.get(page(model, "changelist"))
    assert listed.status_code == 200
    for row in model._default_manager.all()[:3]:
        assert operator.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize(
    "model",
    [m for m in REGISTERED if m._meta.model_name not in EDITABLE],
    ids=lambda model: model._meta.model_name,
)
def test_what_services_write_nobody_edits(operator: Client, scored: Run, model: type[models.Model]) -> None:
    assert operator.get(page(model, "add")).status_code == 403
    assert operator.post(page(model, "add")).status_code == 403
    for row in model._default_manager.all()[:1]:
        before = model._default_manager.filter(pk=row.pk).values().get()
        assert operator.post(page(model, "change", row.pk), {"state": "scored"}).status_code == 403
        assert operator.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert model._default_manager.filter(pk=row.pk).values().get() == before
    chosen = [str(pk) for pk in model._default_manager.values_list("pk", flat=True)]
    operator.post(
        page(model, "changelist"), {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    )
    assert model._default_manager.count() == len(chosen)


@pytest.mark.parametrize("model", [Competition, Phase])
def test_competitions_and_phases_are_not_deleted(
    operator: Client, phase: Phase, model: type[models.Model]
) -> None:
    row = model._default_manager.get()
    assert operator.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.count() == 1


def test_dates_and_quotas_can_be_moved_but_not_what_decides_scores(
    operator: Client, submission: Submission
) -> None:
    phase = Phase.objects.get()
    fields = {
        "title": "Main, longer", "opens_at_0": "2026-01-01", "opens_at_1": "00:00:00", "closes_at_0": "2027-01-01",
        "closes_at_1": "00:00:00", "runs_per_day": "7", "runs_total": "70", "required_coverage": "0.5",
        "pair_seconds": "999", "slug": "other", "dataset_version": "", "suite": "",
    }  # fmt: skip
    assert operator.post(page(Phase, "change", phase.pk), fields).status_code == 302
    after = Phase.objects.get()
    assert (after.title, after.runs_per_day, after.closes_at.year) == ("Main, longer", 7, 2027)
    fixed = ("slug", "required_coverage", "pair_seconds", "dataset_version_id", "suite_id", "competition_id")
    assert [getattr(after, name) for name in fixed] == [getattr(phase, name) for name in fixed]


def test_flags_are_found_by_verdict_and_code_and_get_theirs_by_action(
    operator: Client, staff: User, scored: Run
) -> None:
    record_flags(scored, [RaisedFlag(code, 1.0, 0.5, f"{code} it is.") for code in ("QUILT", "BLEND")])
    quilt, blend = scored.flags.get(code="QUILT"), scored.flags.get(code="BLEND")
    listed = page(RunFlag, "changelist")
    for action, verdict in (("confirm", "confirmed"), ("dismiss", "dismissed"), ("reopen", "open")):
        answer = operator.post(listed, {"action": action, "_selected_action": [str(quilt.pk)]}, follow=True)
        assert f"1 now {verdict}." in answer.content.decode()
        quilt.refresh_from_db()
        assert (quilt.verdict, quilt.reviewed_by) == (verdict, staff)
    blend.refresh_from_db()
    assert (blend.verdict, blend.reviewed_by) == ("open", None)
    found = operator.get(listed, {"code": "BLEND", "verdict__exact": "open"}).content.decode()
    assert "BLEND it is." in found
    assert "QUILT it is." not in found


def act(browser: Client, action: str, *rows: models.Model, **fields: str) -> str:
    """Take an action on rows and return what is said about it."""
    chosen = {"action": action, "_selected_action": [str(row.pk) for row in rows]} | fields
    answer = browser.post(page(type(rows[0]), "changelist"), chosen, follow=True)
    assert answer.status_code == 200
    return "\n".join(str(message) for message in answer.context["messages"])


def test_submissions_are_rerun_disqualified_and_reinstated_by_action(
    operator: Client, staff: User, scored: Run, submission: Submission
) -> None:
    assert act(operator, "rerun", submission) == "identity: queued."
    assert act(operator, "rerun", submission).startswith("identity: A run of this submission is still")
    assert "needs a reason" in act(operator, "disqualify", submission, reason="")
    assert act(operator, "disqualify", submission, reason="It copies.") == "identity: disqualified."
    assert act(operator, "reinstate", submission) == "identity: reinstated."
    row = Disqualification.objects.get()
    assert (row.reason, row.decided_by, row.lifted_by) == ("It copies.", staff, staff)


def test_a_refused_row_holds_up_no_other(
    operator: Client, scored: Run, submission: Submission, submit: Callable[[str], Submission]
) -> None:
    said = act(operator, "rerun", submit("waiting"), submission)
    assert "waiting: A run of this submission is still under way." in said
    assert "identity: queued." in said


def test_a_phase_gets_another_suite_and_new_scores_by_action(operator: Client, scored: Run) -> None:
    DatasetVersion.objects.update(size=256)
    phase = Phase.objects.get()
    assert "No action selected." in act(operator, "rescore", phase, suite="")
    assert "1 rescorings are queued." in act(operator, "rescore", phase, suite="sts-demo-2")
    assert Phase.objects.get().suite.name == "sts-demo-2"


def test_a_run_is_cancelled_by_action_with_its_reason(operator: Client, submission: Submission) -> None:
    run = submission.runs.get()
    assert "cancelled." in act(operator, "cancel", run, reason="It mines coins.")
    last = run.events.order_by("sequence").last()
    assert last is not None
    assert (last.to_state, last.actor, last.detail) == ("cancelled", "user operator", "It mines coins.")


def test_strangers_do_not_enter(researcher: User, scored: Run) -> None:
    browser = Client()
    browser.force_login(researcher)
    for model in REGISTERED:
        assert browser.get(page(model, "changelist")).status_code == 302
