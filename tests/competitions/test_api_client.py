"""The participants' client and the API, each as it is, over a real connection: both keep one contract."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from competitions.models import ImagePair, Phase, Run, Submission
from evaluation.pairs import read_pairs
from pastiche.client import Client
from pastiche.downloading import download_pairs
from pastiche.errors import CheckFailed, LoginNeeded, Refused
from tests.api_fixtures import score_of


@pytest.fixture
def client(live_server: LiveServer, researcher: User) -> Iterator[Client]:
    """The researcher's client, logged in by password."""
    with Client(live_server.url) as visitor:
        token = visitor.create_token("rosalba", "a long password 1", "laptop")
    with Client(live_server.url, token.token) as client:
        yield client


def test_a_researcher_goes_the_whole_way(
    client: Client,
    phase: Phase,
    make_archive: Callable[..., Path],
    evaluate: Callable[[Submission], Run],
) -> None:
    assert [team.slug for team in client.me().teams] == ["rosalba"]
    (listed,) = client.competitions()
    detail = client.competition(listed.slug)
    assert detail.quota is not None
    assert (listed.n_hidden, detail.quota.left, detail.phases[0].slug) == (4, 3, "main")
    assert [pair.id for pair in client.pairs("small")] == ["p000", "p001"]
    assert client.leaderboard("small").rows == ()

    handed_in = client.submit(make_archive(), "small", note="first")
    assert (handed_in.run.state, handed_in.run.queue_place) == ("queued", 1)
    evaluate(Submission.objects.get())

    run = client.run(handed_in.run.id)
    assert (run.state, run.is_over) == ("scored", True)
    log = client.log(run.id, 8)
    assert log.text.startswith("weights")
    assert log.withheld
    scores = client.scores(run.id)
    assert scores.pairs[1].values["headline"] == score_of(1)
    (row,) = client.leaderboard("small", "main").rows
    assert (row.rank, row.headline) == (1, scores.scores["headline"].value)
    assert [submission.id for submission in client.submissions()] == [handed_in.id]
    assert client.submission(handed_in.id).run.state == "scored"


def test_public_pairs_arrive_as_a_dataset_folder(
    live_server: LiveServer, phase: Phase, tmp_path: Path
) -> None:
    with Client(live_server.url) as visitor:
        found = download_pairs(visitor, "small", tmp_path / "pairs", phase="main")
    pairs = read_pairs(tmp_path / "pairs")
    public = ImagePair.objects.filter(split="public").select_related("content", "style").order_by("name")
    assert found.size == phase.dataset_version.size
    assert found.pairs == 2
    assert [
        (p.id, p.content_sha256, p.style_sha256, p.split, p.style_family, p.culture, p.content_kind)
        for p in pairs
    ] == [
        (p.name, p.content.sha256, p.style.sha256, p.split, p.style_family, p.culture, p.content_kind)
        for p in public
    ]


def test_refusals_arrive_with_code_and_fix(
    client: Client, phase: Phase, make_archive: Callable[..., Path]
) -> None:
    archive = make_archive()
    waiting = client.submit(archive, "small")
    with pytest.raises(Refused) as twice:
        client.submit(archive, "small")
    assert twice.value.code == "DUPLICATE_SUBMISSION"
    assert twice.value.fix
    assert client.submit(archive, "small", again=True).id != waiting.id
    with pytest.raises(CheckFailed) as broken:
        client.submit(Path(__file__), "small")
    assert broken.value.code == "NOT_A_ZIP"
    assert client.cancel(waiting.id).run.state == "cancelled"
    with pytest.raises(Refused, match="cancelled"):
        client.cancel(waiting.id)


def test_a_token_that_does_not_work_asks_for_a_login(live_server: LiveServer, phase: Phase) -> None:
    with Client(live_server.url, "pst_unknown") as client, pytest.raises(LoginNeeded):
        client.me()
    with Client(live_server.url) as client, pytest.raises(LoginNeeded):
        client.create_token("rosalba", "wrong", "laptop")
