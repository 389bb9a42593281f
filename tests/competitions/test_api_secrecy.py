"""Every address of the API, tried as everybody: nothing hidden comes out, and no method does what it should not."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

import pytest
from django.core.cache import cache
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from competitions.models import ImagePair, Run, RunOutput, Submission, Upload
from competitions.services.competitions import create_competition
from competitions.services.uploads import UploadPlan, start_upload
from tests.api_fixtures import pairs_of, score_of
from tests.conftest import manifest_of

METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
DECISIONS = {
    "api_cancel",
    "api_final",
    "api_retry",
    "api_rerun",
    "api_disqualify",
    "api_reinstate",
    "api_rescore",
    "api_run_cancel",
    "api_competition_diff",
    "api_data_survey",
    "api_publish",
    "api_replay",
}
READABLE = {
    "api_tokens", "api_me", "api_teams", "api_team", "api_competitions", "api_competition", "api_leaderboard",
    "api_leaderboard_table", "api_pairs", "api_phases", "api_phase", "api_datasets", "api_dataset",
    "api_dataset_pairs", "api_suites", "api_suite", "api_submissions", "api_submission", "api_submission_runs",
    "api_run", "api_run_log", "api_run_scores", "api_run_pairs", "api_run_outputs", "api_uploads",
    "api_upload_room", "api_upload", "api_admission", "api_leaderboard_slice", "api_schema", "api_docs",
    "api_competition_file", "api_competition_data", "api_dry_run", "api_webhooks", "api_webhook", "api_deliveries",
}  # fmt: skip
OTHERS = {"api_token", "api_upload_part", "api_upload_finish"}
ALLOWED = (
    {
        (name, "post")
        for name in {"api_tokens", "api_submissions", "api_uploads", "api_upload_finish", "api_webhooks"}
        | {"api_competition_file", "api_competition_data", "api_dry_run"}
        | DECISIONS
    }
    | {("api_upload_part", "put")}
    | {
        (name, "delete")
        for name in ("api_token", "api_upload", "api_webhook", "api_final", "api_data_survey")
    }
    | {("api_webhook", "put")}
)
# Whoever organizes a competition takes it home with its hidden pictures.
EXPORT = "api_competition_file"
ORGANIZERS = ("organizer", "staff")
CONTENT_TYPES = {
    "api_leaderboard_table": "text/csv; charset=utf-8",
    "api_schema": "application/vnd.oai.openapi; charset=utf-8",
    "api_docs": "text/html; charset=utf-8",
}


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
GROUPS = [list(found) for _, found in groupby(ADDRESSES, lambda address: address.route.split("/")[2:3])]


@pytest.fixture
def upload(researcher: User) -> Upload:
    """An upload that nobody has sent a part of."""
    return start_upload(user=researcher, plan=UploadPlan("archive", 10, "0" * 64, manifest_of("identity")))


@pytest.fixture
def paths(scored: Run, upload: Upload) -> Callable[[Address], list[str]]:
    """Return a function that fills an address with every thing there is, and with things there are not."""
    values = {
        "slug": ["small", "nothing", "p002"],
        "phase": ["main", "nothing", "p002"],
        "submission_id": [str(scored.submission_id), str(scored.pk), str(uuid.uuid4()), "p002"],
        "run_id": [str(scored.pk), str(scored.submission_id), str(uuid.uuid4()), "p002"],
        "upload_id": [str(upload.pk), str(uuid.uuid4()), "p002"],
        "offset": ["0", "8388608", "99999999999999999999999"],
        "token_id": ["1", "99999999999999999999999"],
        "team": ["rosalba", "nothing", "p002"],
        "webhook_id": [str(uuid.uuid4()), "p002"],
        "delivery_id": [str(uuid.uuid4()), "p002"],
        "suite": ["sts-test-1", "nothing", "p002"],
        "version": ["1", "2", "99999999999999999999999"],
    }

    def fill(address: Address) -> list[str]:
        found = [f"/{address.route}"]
        for argument in address.arguments:
            holes = [f"<{kind}:{argument}>" for kind in ("slug", "str", "int")]
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
    assert {address.name for address in NAMED} == READABLE | OTHERS | DECISIONS


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].name or "any other")
def test_nothing_hidden_comes_out_for_anybody(
    group: list[Address],
    scored: Run,
    paths: Callable[[Address], list[str]],
    callers: dict[str, APIClient],
) -> None:
    kept = secrets(scored)
    assert len(kept) > 20
    for address in group:
        expected = CONTENT_TYPES.get(address.name)
        for number, path in enumerate(paths(address) if address.name else []):
            for query in ("",) if number else ("", "?split=hidden", "?phase=main&limit=1000", "?limit=1000"):
                for role, client in callers.items():
                    if address.name == EXPORT and role in ORGANIZERS:
                        continue
                    cache.clear()  # the brake on guessing would hide what lies behind
                    answer = client.get(path + query)
                    text = answer.content.decode() + str(dict(answer.headers))
                    found = {secret for secret in kept if secret in text.replace(path, "")}
                    if "p002" in path and answer.status_code in (400, 404):
                        found -= {"p002"}  # the message repeats what was asked for
                    assert not found, (role, path + query, answer.status_code)
                    assert answer.status_code in (200, 400, 401, 404, 405), (role, path + query)
                    is_own = expected is not None and answer.status_code == 200
                    assert answer["Content-Type"] == (expected if is_own else "application/json"), path


def counts() -> list[int]:
    """Count what a request could make or end."""
    tokens = ApiToken.objects.filter(revoked_at=None)
    return [rows.count() for rows in (Submission.objects, Run.objects, tokens, Upload.objects)]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group[0].name or "any other")
def test_other_methods_change_nothing(
    group: list[Address],
    scored: Run,
    paths: Callable[[Address], list[str]],
    callers: dict[str, APIClient],
) -> None:
    before = counts()
    for address in group:
        methods = [m for m in METHODS if m not in ("get", "head") and (address.name, m) not in ALLOWED]
        others = ["/api/", "/api/v1/", "/api/v2/me/", "/api/v1/nothing/"]
        for path in paths(address)[:2] if address.name else others:
            for method in methods:
                for role, client in callers.items():
                    cache.clear()
                    answer = client.generic(method.upper(), path)
                    assert answer.status_code in (401, 403, 404, 405), (role, method, path)
                    assert answer.status_code != 405 or answer.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
    assert counts() == before
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
