"""Every address of the API, tried as everybody: nothing hidden comes out, and no method does what it should not."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.core.cache import cache
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from competitions.models import ImagePair, Run, RunOutput, Submission
from competitions.services.competitions import create_competition
from tests.api_fixtures import pairs_of, score_of

METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
DECISIONS = {"api_cancel", "api_retry", "api_rerun", "api_disqualify", "api_reinstate", "api_rescore"}
ALLOWED_POSTS = {"api_tokens", "api_submissions"} | DECISIONS


@dataclass(frozen=True)
class Address:
    """One line of the URL table below /api/."""

    name: str
    route: str
    arguments: frozenset[str]


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[Address]:
    """Walk through the URL table."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, route)
        elif isinstance(entry, URLPattern) and route.startswith("api/"):
            yield Address(entry.name or "", route, frozenset(entry.pattern.converters))


ADDRESSES = list(addresses())
NAMED = [address for address in ADDRESSES if address.name]


@pytest.fixture
def paths(scored: Run) -> Callable[[Address], list[str]]:
    """Return a function that fills an address with every thing there is, and with things there are not."""
    values = {
        "slug": ["small", "nothing", "p002"],
        "phase": ["main", "nothing", "p002"],
        "submission_id": [str(scored.submission_id), str(scored.pk), str(uuid.uuid4()), "p002"],
        "run_id": [str(scored.pk), str(scored.submission_id), str(uuid.uuid4()), "p002"],
    }

    def fill(address: Address) -> list[str]:
        found = [f"/{address.route}"]
        for argument in address.arguments:
            holes = [f"<{kind}:{argument}>" for kind in ("slug", "str")]
            found = [
                path.replace(hole, value) for path in found for hole in holes if hole in path
                for value in values[argument]
            ]  # fmt: skip
        return found

    return fill


@pytest.fixture
def callers(
    anonymous: APIClient,
    member: APIClient,
    caller: Callable[[User], APIClient],
    stranger: User,
    organizer: User,
    staff: User,
) -> dict[str, APIClient]:
    """Everybody there is."""
    others = {"stranger": stranger, "organizer": organizer, "staff": staff}
    return {"anonymous": anonymous, "member": member} | {name: caller(user) for name, user in others.items()}


def secrets(run: Run) -> set[str]:
    """List what must never leave: names, images and outputs of hidden pairs, their values, withheld log."""
    hidden = pairs_of(run.submission, "hidden")
    found = {pair.name for pair in hidden} | {pair.content.sha256 for pair in hidden}
    found |= {pair.style.sha256 for pair in hidden} | {"made hidden", "hidden0", "hidden1"}
    outputs = RunOutput.objects.filter(run=run, pair__split=ImagePair.Split.HIDDEN)
    found |= set(outputs.values_list("artifact__sha256", flat=True))
    assert run.pair_scores is not None
    # With so few pairs the end of an interval can be the value of one of them.
    ends = {repr(number) for low_high in run.scores.values_list("low", "high") for number in low_high}
    values = {repr(score_of(i)) for i in range(2, 6)} - ends
    assert values
    found |= {run.pair_scores.sha256} | values
    return found | set(ApiToken.objects.values_list("key_sha256", flat=True)) | {"a long password"}


def test_the_table_holds_every_address_of_the_contract() -> None:
    assert {address.name for address in NAMED} == {
        "api_tokens", "api_me", "api_competitions", "api_competition", "api_leaderboard", "api_pairs",
        "api_submissions", "api_submission", "api_run", "api_run_log", "api_run_scores",
    } | DECISIONS  # fmt: skip


@pytest.mark.parametrize("address", NAMED, ids=lambda address: address.name)
def test_nothing_hidden_comes_out_for_anybody(
    address: Address,
    scored: Run,
    paths: Callable[[Address], list[str]],
    callers: dict[str, APIClient],
) -> None:
    kept = secrets(scored)
    assert len(kept) > 20
    for path in paths(address):
        for query in ("", "?split=hidden", "?phase=main&limit=1000", "?offset=0", "?format=html"):
            for role, client in callers.items():
                cache.clear()  # the brake on guessing would hide what lies behind
                answer = client.get(path + query)
                text = answer.content.decode() + str(dict(answer.headers))
                found = {secret for secret in kept if secret in text.replace(path, "")}
                if "p002" in path and answer.status_code in (400, 404):
                    found -= {"p002"}  # the message repeats what was asked for
                assert not found, (role, path + query, answer.status_code)
                assert answer.status_code in (200, 400, 401, 404, 405), (role, path + query)
                assert answer["Content-Type"] == "application/json"


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address.name or "any other")
def test_other_methods_change_nothing(
    address: Address,
    scored: Run,
    paths: Callable[[Address], list[str]],
    callers: dict[str, APIClient],
) -> None:
    before = (Submission.objects.count(), Run.objects.count(), ApiToken.objects.count())
    methods = [
        m
        for m in METHODS
        if m not in ("get", "head") and (m, address.name in ALLOWED_POSTS) != ("post", True)
    ]
    for path in paths(address) if address.name else ["/api/", "/api/v1/", "/api/v2/me/", "/api/v1/nothing/"]:
        for method in methods:
            for role, client in callers.items():
                cache.clear()
                answer = client.generic(method.upper(), path)
                assert answer.status_code in (401, 403, 404, 405), (role, method, path)
                assert answer.status_code != 405 or answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert (Submission.objects.count(), Run.objects.count(), ApiToken.objects.count()) == before
    assert Run.objects.get().state == "scored"


def test_hidden_images_have_no_address(scored: Run, callers: dict[str, APIClient]) -> None:
    for pair in pairs_of(scored.submission, "hidden"):
        for path in (f"pairs/{pair.pk}/content", f"pairs/{pair.pk}/style", f"runs/{scored.pk}/{pair.pk}"):
            for role, client in callers.items():
                assert client.get(f"/images/{path}/").status_code == 404, (role, path)


def test_an_unpublished_competition_keeps_its_runs_to_itself(
    scored: Run, organizer: User, callers: dict[str, APIClient]
) -> None:
    create_competition(slug="secret", title="Secret plans", summary="", description="", organizer=organizer)
    scored.submission.phase.competition.is_published = False
    scored.submission.phase.competition.save()
    for path in ("", "scores/", "log/"):
        for role, client in callers.items():
            status = client.get(f"/api/v1/runs/{scored.pk}/{path}").status_code
            assert status == (404 if role in ("anonymous", "stranger") else 200), (role, path)
    for role, client in callers.items():
        text = client.get("/api/v1/competitions/").content.decode()
        assert ("Secret plans" in text) == (role in ("organizer", "staff"))
