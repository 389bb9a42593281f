"""One table of rules, and every way to hand something in: page, form, upload and command line decide alike."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Membership, Team, User
from accounts.services import create_team, issue_token
from competitions.models import Competition, Phase, QuotaEntry, Submission
from competitions.services.submissions import Upload, cancel_submission, create_submission
from evaluation.archive import inspect_archive
from pastiche.cli import cli
from tests.api_fixtures import API


@dataclass
class World:
    """An open phase, a researcher, and an archive that nobody has handed in yet."""

    phase: Phase
    user: User
    stranger: User
    archive: Path
    other_archive: Path
    request: pytest.FixtureRequest

    def set_phase(self, **fields: object) -> None:
        Phase.objects.filter(pk=self.phase.pk).update(**fields)
        self.phase.refresh_from_db()

    def set_competition(self, **fields: object) -> None:
        Competition.objects.filter(pk=self.phase.competition_id).update(**fields)

    def hand_in(self, path: Path | None = None, team: Team | None = None) -> Submission:
        chosen = path or self.other_archive
        with chosen.open("rb") as content:
            upload = Upload(content=content, size=chosen.stat().st_size)
            team = team or self.user.teams.get(is_personal=True)
            return create_submission(phase_pk=self.phase.pk, team=team, user=self.user, upload=upload)

    def studio(self, *, with_user: bool) -> Team:
        team = create_team(name="Studio", owner=self.stranger)
        if with_user:
            Membership.objects.create(team=team, user=self.user)
        return team

    def add_phase(self, slug: str, opens_at: datetime, closes_at: datetime) -> Phase:
        phase = Phase.objects.get(pk=self.phase.pk)
        phase.pk, phase._state.adding = None, True
        phase.slug, phase.opens_at, phase.closes_at = slug, opens_at, closes_at
        phase.save()
        return phase


def ago(**span: int) -> datetime:
    return timezone.now() - timedelta(**span)


def ahead(**span: int) -> datetime:
    return timezone.now() + timedelta(**span)


@dataclass(frozen=True)
class Rule:
    """What is arranged before, what is asked for, and the code of the refusal (empty: it is taken)."""

    name: str
    arrange: Callable[[World], object]
    code: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)


def nothing(world: World) -> None:
    """The phase is open as it is."""


def one_yesterday(world: World) -> None:
    world.hand_in()
    QuotaEntry.objects.update(created_at=ago(days=1, seconds=1))


def one_cancelled(world: World) -> None:
    world.set_phase(runs_per_day=1)
    cancel_submission(submission_id=world.hand_in().pk, user=world.user)


def one_today_of_another_team(world: World) -> None:
    world.set_phase(runs_per_day=1)
    world.hand_in(team=world.studio(with_user=True))


def one_today_of_another_member(world: World) -> None:
    world.set_phase(runs_per_day=1)
    team = world.studio(with_user=True)
    world.hand_in(team=team)
    Submission.objects.update(submitted_by=world.stranger)


def leave_studio(world: World) -> None:
    world.studio(with_user=True)
    Membership.objects.filter(user=world.user, team__slug="studio").delete()


def organize_hidden(world: World) -> None:
    world.set_competition(is_published=False)
    world.phase.competition.organizers.add(world.user)


def withdraw_second(world: World) -> None:
    world.add_phase("second", ago(days=1), ahead(days=2)).delete()


def two_phases(world: World) -> None:
    world.add_phase("first", ago(days=9), ago(days=5))


ONE_A_DAY = {"runs_per_day": 1}
RULES = [
    Rule("open", nothing),
    Rule("before the opening", lambda w: w.set_phase(opens_at=ahead(minutes=1)), "PHASE_CLOSED"),
    Rule("just opened", lambda w: w.set_phase(opens_at=ago(seconds=1))),
    Rule("shortly before the end", lambda w: w.set_phase(closes_at=ahead(minutes=2))),
    Rule("just closed", lambda w: w.set_phase(closes_at=ago(seconds=1)), "PHASE_CLOSED"),
    Rule("a named phase that is closed", two_phases, "PHASE_CLOSED", {"phase": "first"}),
    Rule("the open one of two phases", two_phases),
    Rule("a phase that was withdrawn", withdraw_second, "NOT_FOUND", {"phase": "second"}),
    Rule("the runs of a day are used", lambda w: (w.set_phase(**ONE_A_DAY), w.hand_in()), "QUOTA_EXCEEDED"),
    Rule("yesterday's runs do not count today", lambda w: (w.set_phase(**ONE_A_DAY), one_yesterday(w))),
    Rule(
        "the runs of the phase are used",
        lambda w: (w.set_phase(runs_total=1), one_yesterday(w)),
        "QUOTA_EXCEEDED",
    ),
    Rule("a cancelled run is given back", one_cancelled),
    Rule("many teams bring nobody more runs", one_today_of_another_team, "QUOTA_EXCEEDED"),
    Rule(
        "a team's runs are used by another member",
        one_today_of_another_member,
        "QUOTA_EXCEEDED",
        {"team": "studio"},
    ),
    Rule("another member's runs do not count alone", one_today_of_another_member),
    Rule("while another submission is under way", lambda w: w.hand_in()),
    Rule("for a team as its member", lambda w: w.studio(with_user=True), asked={"team": "studio"}),
    Rule(
        "for a team of others", lambda w: w.studio(with_user=False), "NOT_A_TEAM_MEMBER", {"team": "studio"}
    ),
    Rule("for a team that one has left", leave_studio, "NOT_A_TEAM_MEMBER", {"team": "studio"}),
    Rule("for a team that is not there", nothing, "NOT_A_TEAM_MEMBER", {"team": "nobody"}),
    Rule("not published", lambda w: w.set_competition(is_published=False), "NOT_FOUND"),
    Rule("not published, for its organizer", organize_hidden),
    Rule("not listed", lambda w: w.set_competition(is_listed=False)),
    Rule("a competition that is not there", nothing, "NOT_FOUND", {"competition": "other"}),
    Rule("the same archive again", lambda w: w.hand_in(w.archive), "DUPLICATE_SUBMISSION"),
    Rule("the same archive again on purpose", lambda w: w.hand_in(w.archive), asked={"again": True}),
]


def by_page(world: World, asked: Mapping[str, Any]) -> str:
    """The form of the page, in a browser."""
    browser = Client()
    browser.force_login(world.user)
    query = {"phase": asked["phase"]} if "phase" in asked else {}
    fields = {
        "team": asked.get("team", world.user.username),
        "archive": SimpleUploadedFile("generator.zip", world.archive.read_bytes(), "application/zip"),
    } | ({"allow_duplicate": "on"} if asked.get("again") else {})
    answer = browser.post(f"/c/{asked.get('competition', 'small')}/submit/", fields, query_params=query)
    if answer.status_code == 302:
        return ""
    assert 400 <= answer.status_code < 500
    if "form" not in answer.context:
        return str(answer.context["explanation"].code)
    if "team" in answer.context["form"].errors:
        return "NOT_A_TEAM_MEMBER"  # the page offers one's own teams and takes no other
    return str(answer.context["problem"].code)


def program(world: World) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token(user=world.user, name='test')[1]}")
    return client


def code_of(answer: Any) -> str:
    return "" if answer.status_code == 201 else str(answer.json()["error"]["code"])


def by_form(world: World, asked: Mapping[str, Any]) -> str:
    """A multipart form to the API."""
    fields = {"competition": "small", **asked}
    fields["archive"] = SimpleUploadedFile("generator.zip", world.archive.read_bytes())
    if "again" in fields:
        fields["again"] = "true"
    return code_of(program(world).post(f"{API}/submissions/", fields, format="multipart"))


def by_upload(world: World, asked: Mapping[str, Any]) -> str:
    """A resumable upload to the API."""
    client, content = program(world), world.archive.read_bytes()
    digest = hashlib.sha256(content)
    manifest = inspect_archive(world.archive).manifest.model_dump(mode="json", by_alias=True)
    plan = {
        "kind": "archive",
        "size": len(content),
        "sha256": digest.hexdigest(),
        "manifest": {name: value for name, value in manifest.items() if value is not None},
    }
    upload = client.post(f"{API}/uploads/", plan, format="json").json()
    stamp = {"Content-Digest": f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"}
    part = f"{API}/uploads/{upload['id']}/parts/0/"
    assert (
        client.put(part, content, content_type="application/octet-stream", headers=stamp).status_code == 200
    )
    assert client.post(f"{API}/uploads/{upload['id']}/finish/", {}, format="json").status_code == 200
    fields = {"competition": "small", **asked, "upload": upload["id"]}
    return code_of(client.post(f"{API}/submissions/", fields, format="json"))


def run_command(world: World, *words: str) -> str:
    """Run the command line against a real server and return the code of its error."""
    server = world.request.getfixturevalue("live_server")
    key = issue_token(user=world.user, name="test")[1]
    settings = {"PASTICHE_URL": server.url, "PASTICHE_TOKEN": key, "NO_PROXY": "*"}
    done = CliRunner().invoke(cli, [*words, "--json"], env=settings, catch_exceptions=False)
    answer = json.loads(done.stdout)
    assert (done.exit_code == 0) == ("error" not in answer)
    return str(answer["error"]["code"]) if "error" in answer else ""


def by_command(world: World, asked: Mapping[str, Any]) -> str:
    """`pastiche submit`."""
    chosen = {"competition": "small", **asked}
    again = ["--again"] if chosen.pop("again", False) else []
    words = [word for name, value in chosen.items() for word in (f"--{name}", value)]
    return run_command(world, "submit", str(world.archive), *words, *again)


WAYS = [
    pytest.param(by_page, id="page", marks=pytest.mark.django_db),
    pytest.param(by_form, id="API form", marks=pytest.mark.django_db),
    pytest.param(by_upload, id="API upload", marks=pytest.mark.django_db),
    pytest.param(by_command, id="command line", marks=pytest.mark.django_db(transaction=True)),
]


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    phase: Phase,
    researcher: User,
    stranger: User,
    make_archive: Callable[..., Path],
) -> World:
    """The world before anything is arranged."""
    return World(phase, researcher, stranger, make_archive("mine"), make_archive("other"), request)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.name) for rule in RULES])
def test_a_rule_holds_whatever_the_way(
    rule: Rule, way: Callable[[World, Mapping[str, Any]], str], world: World
) -> None:
    rule.arrange(world)
    before = Submission.objects.count()
    assert way(world, rule.asked) == rule.code
    assert Submission.objects.count() - before == (0 if rule.code else 1)
    if not rule.code:
        made = Submission.objects.latest("created_at")
        assert made.team is not None
        assert (made.team.slug, made.submitted_by) == (rule.asked.get("team", "rosalba"), world.user)
        assert made.runs.get().state == "queued"


def cancelled(world: World) -> Submission:
    made = world.hand_in()
    cancel_submission(submission_id=made.pk, user=world.user)
    return made


def cancelled_then(arrange: Callable[[World], object]) -> Callable[[World], Submission]:
    def make(world: World) -> Submission:
        made = cancelled(world)
        arrange(world)
        return made

    return make


def of_studio(world: World) -> Submission:
    """A run of a team that the researcher has left."""
    made = world.hand_in(team=world.studio(with_user=True))
    Membership.objects.filter(user=world.user, team__slug="studio").delete()
    return made


def of_studio_cancelled(world: World) -> Submission:
    made = of_studio(world)
    cancel_submission(submission_id=made.pk, user=world.stranger)
    return made


# What is done with a run there is already, what was arranged, and whether it is carried out.
DECISIONS: list[tuple[str, str, Callable[[World], Submission], bool]] = [
    ("cancel", "a run that waits", World.hand_in, True),
    ("cancel", "a run that has ended", cancelled, False),
    ("cancel", "a run of a team that one has left", of_studio, False),
    ("retry", "a cancelled run", cancelled, True),
    ("retry", "while it is under way", World.hand_in, False),
    ("retry", "after the end", cancelled_then(lambda w: w.set_phase(closes_at=ago(seconds=1))), False),
    (
        "retry",
        "the runs of a day are used",
        cancelled_then(lambda w: (w.set_phase(**ONE_A_DAY), w.hand_in(w.archive))),
        False,
    ),
    ("retry", "for a team that one has left", of_studio_cancelled, False),
]


def decide_by_page(world: World, what: str, submission: Submission) -> bool:
    browser = Client()
    browser.force_login(world.user)
    answer = browser.post(f"/s/{submission.pk}/{what}/")
    assert answer.status_code < 500
    return answer.status_code == 302


def decide_by_program(world: World, what: str, submission: Submission) -> bool:
    answer = program(world).post(f"{API}/submissions/{submission.pk}/{what}/", {}, format="json")
    assert answer.status_code < 500
    return answer.status_code < 300


def decide_by_command(world: World, what: str, submission: Submission) -> bool:
    return run_command(world, what, str(submission.pk)) == ""


WAYS_TO_DECIDE = {"page": decide_by_page, "API": decide_by_program, "command line": decide_by_command}
CASES = [
    pytest.param(
        what,
        arrange,
        is_done,
        way,
        id=f"{what} {name}-{by}",
        marks=pytest.mark.django_db(transaction=way is decide_by_command),
    )
    for what, name, arrange, is_done in DECISIONS
    for by, way in WAYS_TO_DECIDE.items()
    if way is not decide_by_command or what in cli.commands
]


@pytest.mark.parametrize(("what", "arrange", "is_done", "way"), CASES)
def test_a_decision_about_a_run_is_the_same_whatever_the_way(
    what: str,
    arrange: Callable[[World], Submission],
    is_done: bool,
    way: Callable[[World, str, Submission], bool],
    world: World,
) -> None:
    submission = arrange(world)
    before = list(submission.runs.order_by("sequence").values_list("state", flat=True))
    told = way(world, what, submission)
    after = list(submission.runs.order_by("sequence").values_list("state", flat=True))
    done = {"cancel": ["cancelled"], "retry": [*before, "queued"]}[what]
    assert after == (done if is_done else before)
    if way is not decide_by_page:  # a page leads back to itself either way, and says what it did
        assert told == is_done
