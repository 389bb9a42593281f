"""How often each page asks the database for somebody who has signed in: as often for 1,000 rows as for 10."""

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.memberships import start_team
from accounts.models import User
from competitions.models import Announcement, Competition, Phase, Run, Submission
from tests.boards import draw_outputs, enter_runs, store_board
from tests.crowds import entry

# Address, who is signed in, and how many queries it may take.
PAGES = {
    "home": ("/", "rosalba", 8),
    "list": ("/competitions/", "rosalba", 8),
    "overview": ("/c/small/", "rosalba", 8),
    "leaderboard": ("/c/small/leaderboard/", "rosalba", 12),
    "gallery": ("/c/small/gallery/", "rosalba", 12),
    "pair": ("/c/small/pair/p000/", "rosalba", 12),
    "news": ("/c/small/news/", "rosalba", 10),
    "compare": ("/compare/?a={first}&b={last}", "rosalba", 12),
    "submission": ("/s/{own}/", "rosalba", 9),
    "own submissions": ("/submissions/", "rosalba", 12),
    "submit": ("/c/small/submit/", "rosalba", 12),
    "teams": ("/teams/", "rosalba", 10),
    "status": ("/status/", "rosalba", 10),
    "organizer": ("/organize/small/", "organizer", 20),
}
HTMX = {"hx-request": "true"}
# Who is signed in: the framework reads the session and the user of every request, whatever is asked for.
BY_THE_FRAMEWORK = 2
# What a page asks for while its run is live, and how many queries that may take besides.
FRAGMENTS = {
    "news": ("/s/{own}/progress/?shown=2", 1),
    "news with pictures": ("/s/{own}/progress/?shown=1", 2),
    "log": ("/s/{own}/log/?tail", 2),
}
# The page itself, by the state of its run; the team may run again what the platform has lost.
BY_STATE = {"queued": 6, "generating": 6, "failed": 10}


def fill(phase: Phase, researcher: User, n: int) -> dict[str, str]:
    """Put `n` runs on the board, half of them of the researcher's team, as many into the queue, and competitions."""
    runs = enter_runs(phase, n)
    Submission.objects.filter(pk__in=[run.submission_id for run in runs[1 : n // 2]]).update(
        team=researcher.teams.get(), submitted_by=researcher
    )
    store_board(phase, runs)
    draw_outputs(phase, runs[:10])
    now = timezone.now()
    waiting = Submission.objects.bulk_create(entry(phase, f"queued-{k % 50}") for k in range(n))
    Run.objects.bulk_create(Run(submission=one, suite=phase.suite, queued_at=now) for one in waiting)
    add_competitions(phase, n)
    keys = {"first": runs[1].submission_id, "last": runs[-1].submission_id, "own": runs[1].submission_id}
    return {name: str(key) for name, key in keys.items()}


def add_competitions(phase: Phase, n: int) -> None:
    """Open as many other competitions over the same pairs, and announce as much in the first one."""
    made = Competition.objects.bulk_create(
        Competition(slug=f"other-{k}", title=f"Other {k}", is_published=True) for k in range(n)
    )
    same = {
        name: getattr(phase, name) for name in ("slug", "opens_at", "closes_at", "dataset_version", "suite")
    }
    Phase.objects.bulk_create(Phase(competition=one, title="Main", **same) for one in made)
    author = User.objects.get(username="organizer")
    Announcement.objects.bulk_create(
        Announcement(competition=phase.competition, title=f"News {k}", text="*Soon.*", author=author)
        for k in range(n)
    )


def queries(client: Client, address: str, **headers: str) -> int:
    """Read a page twice, and count the queries of the second time: what is kept for everybody is there then."""
    for _ in range(2):
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address, headers=headers).status_code == 200, address
    return len(seen)


def count(keys: dict[str, str]) -> dict[str, int]:
    """Count the queries of every page."""
    cache.clear()
    counts = {}
    for page, (address, username, _) in PAGES.items():
        client = Client()
        client.force_login(User.objects.get(username=username))
        counts[page] = queries(client, address.format(**keys))
    return counts


def test_a_thousand_rows_cost_no_more_queries_than_ten(phase: Phase, researcher: User) -> None:
    counts = []
    for n in (10, 1000):
        with transaction.atomic():
            counts.append(count(fill(phase, researcher, n)))
            transaction.set_rollback(True)
    few, many = counts
    assert few == many
    allowed = {page: budget for page, (_, _, budget) in PAGES.items()}
    assert {page: n for page, n in many.items() if n > allowed[page]} == {}


def put_into(state: str, submission: str) -> None:
    """Write into the one run of a submission that it is queued, generating, or lost by the platform."""
    now = timezone.now()
    changes: dict[str, dict[str, object]] = {
        "queued": {"finished_at": None},
        "generating": {"finished_at": None, "lease_owner": "w", "lease_expires_at": now},
        "failed": {"failure_code": "INFRA", "fault": "platform"},
    }
    Run.objects.filter(submission=submission).update(state=state, **changes[state])


@pytest.mark.parametrize("state", BY_STATE)
def test_a_run_costs_few_queries_while_it_is_watched(phase: Phase, researcher: User, state: str) -> None:
    client, counts = Client(), []
    client.force_login(researcher)
    for n in (10, 1000):
        with transaction.atomic():
            keys = fill(phase, researcher, n)
            put_into(state, keys["own"])
            fragments = {
                name: queries(client, address.format(**keys), **HTMX) - BY_THE_FRAMEWORK
                for name, (address, _) in FRAGMENTS.items()
            }
            counts.append((queries(client, f"/s/{keys['own']}/"), fragments))
            transaction.set_rollback(True)
    assert counts[0] == counts[1] == (BY_STATE[state], {name: most for name, (_, most) in FRAGMENTS.items()})


def test_an_unchanged_run_costs_one_query(phase: Phase, researcher: User) -> None:
    client = Client()
    client.force_login(researcher)
    keys = fill(phase, researcher, 10)
    put_into("generating", keys["own"])
    address = f"/s/{keys['own']}/progress/?shown=2"
    seen = client.get(address, headers=HTMX)
    with CaptureQueriesContext(connection) as asked:
        again = client.get(address, headers=HTMX | {"if-none-match": seen.headers["ETag"]})
    assert (again.status_code, len(asked)) == (304, BY_THE_FRAMEWORK + 1)


def test_more_teams_cost_no_more_queries(phase: Phase, researcher: User) -> None:
    client, counts = Client(), []
    client.force_login(researcher)
    for n in (1, 9):
        for k in range(n):
            start_team(user=researcher, name=f"Team {n} {k}")
        addresses = ("/c/small/", "/c/small/submit/")
        assert all(f"Team {n} 0" in client.get(address).content.decode() for address in addresses)
        counts.append([queries(client, address) for address in addresses])
    assert counts[0] == counts[1]
