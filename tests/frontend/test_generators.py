"""Cards of generators: what they say, of whom, and which runs they list."""

import re

import pytest
from django.test import Client

from accounts.models import User
from competitions.models import Competition, Phase, Run, RunOutput, Submission
from competitions.selectors.generators import CARDS
from competitions.services.moderation import disqualify
from tests.boards import draw_outputs, enter_runs, store_board

BOARD = "/c/small/leaderboard/"


def name_baseline(phase: Phase, name: str) -> Run:
    run = enter_runs(phase, 1)[0]
    manifest = {"title": "Adaptive <i>", "paper": "https://arxiv.org/abs/1703.06868", "license": "Apache-2.0"}
    Submission.objects.filter(pk=run.submission_id).update(name=name, manifest=manifest)
    return run


def test_a_shipped_baseline_shows_its_card_and_its_runs(client: Client, phase: Phase) -> None:
    run = name_baseline(phase, "adain")
    page = client.get("/baselines/adain/").content.decode()
    assert "Adaptive &lt;i&gt;" in page
    assert 'href="https://arxiv.org/abs/1703.06868" rel="noopener noreferrer nofollow"' in page
    assert "Huang and Belongie 2017" in page
    assert "python -m baselines train adain" in page
    assert f'href="/s/{run.submission_id}/"' in page
    assert CARDS.is_dir()


def test_nobody_dresses_up_as_a_shipped_baseline(client: Client, phase: Phase) -> None:
    run = name_baseline(phase, "adain")
    Submission.objects.filter(pk=run.submission_id).update(is_shipped=False)
    assert "Huang and Belongie" not in client.get("/baselines/adain/").content.decode()


def test_the_card_of_a_team_lists_all_its_runs_under_that_name(client: Client, scored: Run) -> None:
    row = scored.submission
    again = Submission.objects.get(pk=row.pk)
    again.pk, again.manifest = None, {**row.manifest, "version": "2.0.0", "license": "MIT"}
    again.save()
    times = {"queued_at": scored.queued_at, "finished_at": scored.finished_at}
    Run.objects.create(submission=again, suite=scored.suite, state="cancelled", **times)
    assert row.team
    address = f"/m/{row.team.slug}/{row.name}/"
    page = client.get(address).content.decode()
    assert page.count('role="rowheader"') == 1  # what has no scores is the team's own affair
    assert row.team.name in page
    client.force_login(User.objects.get(username="rosalba"))
    own = client.get(address).content.decode()
    assert own.count('role="rowheader"') == 2
    assert "MIT" in own  # the newest version describes the generator


def test_the_card_shows_a_picture_of_each_style_and_none_of_a_hidden_pair(
    client: Client, phase: Phase
) -> None:
    run = name_baseline(phase, "adain")
    draw_outputs(phase, [run])
    hidden = phase.dataset_version.pairs.filter(split="hidden")[0]
    RunOutput.objects.create(run=run, pair=hidden, artifact=hidden.content, seconds=1)
    shown = {}
    for pair in phase.dataset_version.pairs.filter(split="public").order_by("name"):
        shown.setdefault(pair.style_id, pair.pk)
    page = client.get("/baselines/adain/").content.decode()
    links = re.findall(rf'href="/images/runs/{run.pk}/(\d+)/"', page)
    assert [int(pk) for pk in links] == list(shown.values())
    for address in re.findall(r'<img src="(/images/[^"]+)"', page):
        assert client.get(address).status_code == 200


def test_the_card_shows_no_picture_of_a_disqualified_entry(
    client: Client, scored: Run, organizer: User
) -> None:
    row = scored.submission
    assert row.team
    address = f"/m/{row.team.slug}/{row.name}/"
    assert 'class="triptychs"' in client.get(address).content.decode()
    disqualify(submission_id=row.pk, user=organizer, reason="It copies.")
    assert 'class="triptychs"' not in client.get(address).content.decode()


@pytest.mark.parametrize("path", ["/baselines/nope/", "/m/rosalba/nope/", "/m/nobody/wash/"])
def test_an_unknown_generator_is_not_found(client: Client, scored: Run, path: str) -> None:
    assert client.get(path).status_code == 404


def test_runs_in_competitions_that_are_not_listed_are_not_told(client: Client, scored: Run) -> None:
    Competition.objects.update(is_listed=False)
    team = scored.submission.team
    assert team
    assert client.get(f"/m/{team.slug}/{scored.submission.name}/").status_code == 404


def test_every_row_of_a_board_leads_to_its_card(client: Client, phase: Phase) -> None:
    runs = enter_runs(phase, 2)
    store_board(phase, runs)
    page = client.get(BOARD).content.decode()
    assert 'href="/baselines/generator-0000/"' in page
    assert 'href="/m/team-1/generator-0001/"' in page


def test_help_guides_three_kinds_of_people_and_lists_the_codes(client: Client, db: None) -> None:
    page = client.get("/help/").content.decode()
    for told in ("To look around", "To take part", "To run a competition", "Keys", "OUT_OF_MEMORY"):
        assert told in page
    assert 'href="/help/"' in client.get("/").content.decode()
