"""The state of the platform, the probe, and the pages that explain failure codes."""

import json

import pytest
from django.db import connection
from django.test import Client

from competitions.models import Submission
from competitions.services.workers import Ability, register_worker
from evaluation.failures import FAILURES


def test_without_workers_the_page_says_what_to_do(client: Client, submission: Submission) -> None:
    page = client.get("/status/").content.decode()
    assert "No worker is running" in page
    assert "./run up" in page
    assert '<strong class="number">1</strong>' in page


def test_a_worker_is_shown_with_its_sandbox_or_the_reason_for_none(client: Client, db: None) -> None:
    register_worker(name="atelier-0", ability=Ability("bubblewrap", True))
    page = client.get("/status/").content.decode()
    assert "atelier-0" in page
    assert "bubblewrap" in page
    assert "Why nothing happens" not in page
    register_worker(
        name="atelier-0", ability=Ability("process", False, reason="No <bwrap>.", advice="Install it.")
    )
    page = client.get("/status/").content.decode()
    assert "no, baselines only" in page
    assert "No &lt;bwrap&gt;." in page
    assert "Install it." in page


def test_a_worker_is_shown_with_what_it_offers(client: Client, db: None) -> None:
    ability = Ability(
        "bubblewrap", True, devices=("cpu", "cuda"), memory_mb=8192, runtimes=("py311-torch215",)
    )
    register_worker(name="atelier-0", ability=ability)
    page = client.get("/status/").content.decode()
    assert "cpu, cuda · 8192 MB · py311-torch215" in page


@pytest.mark.django_db
def test_the_probe_answers_ok_whatever_became_of_the_database(client: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE competitions_worker RENAME TO gone")
    answer = client.get("/healthz")
    assert (answer.status_code, json.loads(answer.content)) == (200, {"status": "ok"})


@pytest.mark.parametrize("code", FAILURES)
def test_each_failure_code_has_its_page_in_both_languages(client: Client, code: str) -> None:
    page = client.get(f"/help/errors/{code}/").content.decode()
    assert code in page
    assert ("never uses up quota" in page) == (code == "INFRA")
    chinese = client.get(f"/help/errors/{code}/", headers={"accept-language": "zh-hans"}).content.decode()
    assert code in chinese
    assert FAILURES[code].sentence not in chinese


def test_the_list_links_every_code_and_an_unknown_one_is_not_found(client: Client) -> None:
    page = client.get("/help/errors/").content.decode()
    assert all(f'href="/help/errors/{code}/"' in page for code in FAILURES)
    assert client.get("/help/errors/NOPE/").status_code == 404
