"""From a competition's file to a row on its board by the command line alone, against real services and sandbox."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import write_dataset
from tests.walks.house import ROOT, House, house

pytestmark = [
    pytest.mark.walk,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed"),
]

Command = Callable[..., str]
EXAMPLE = ROOT / "examples" / "patterns" / "competition.toml"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[House]:
    """A running house."""
    with house(tmp_path / "house", write_dataset(tmp_path / "dataset", size=256)) as made:
        made.start("web", "worker", "scheduler")
        yield made


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The example of a competition with pictures, open from now on."""
    folder = tmp_path / "repository"
    write_dataset(folder / "data", size=256)
    days = iter(range(4))
    now = datetime.now(UTC).replace(microsecond=0)
    text = re.sub(
        "2032-[-0-9T:]+Z",
        lambda found: f"{now + timedelta(days=next(days)):%Y-%m-%dT%H:%M:%SZ}",
        EXAMPLE.read_text(encoding="utf-8"),
    )
    (folder / "competition.toml").write_text(text, encoding="utf-8")
    return folder


def publish(pastiche: Command, server: str, repository: Path) -> None:
    """Bring a competition to everybody as its organizer does."""

    def organizer(*arguments: str, typed: str = "") -> str:
        return pastiche(*arguments, typed=typed, home="organizer")

    organizer(
        "login", "--server", server, "--username", "organizer", "--organize", typed="a long password 2\n"
    )
    assert json.loads(organizer("competition", "diff", str(repository), "--json"))["is_new"]
    organizer("dataset", "check", str(repository / "data"), "--suite", "sts-demo-2")
    assert json.loads(organizer("competition", "import", str(repository), "--json"))["slug"] == "patterns"
    tried = json.loads(organizer("competition", "dry-run", "patterns", "--json"))
    assert [trial["state"] for trial in tried["trials"]] == ["scored", "scored"]
    organizer("competition", "publish", "patterns")
    assert "as the file says" in organizer("competition", "diff", str(repository))


def test_an_organizer_opens_a_competition_and_a_participant_goes_from_the_starter_kit_to_its_board(
    running: House, pastiche: Command, repository: Path, tmp_path: Path
) -> None:
    publish(pastiche, running.address, repository)
    kit, out = str(tmp_path / "kit"), tmp_path / "out"
    pastiche("login", "--server", running.address, "--username", "rosalba", typed="a long password 1\n")
    found = json.loads(pastiche("doctor", "--json"))
    assert [row["name"] for row in found if not row["ok"]] == []
    pastiche("init", kit)
    assert json.loads(pastiche("check", kit, "--competition", "patterns", "--json"))["tried"]["is_repeatable"]
    submission = json.loads(pastiche("submit", kit, "--competition", "patterns", "--json"))
    assert "headline" in pastiche("watch", submission["id"])
    results = json.loads(pastiche("results", submission["id"], "--json"))
    rows = json.loads(pastiche("board", "patterns", "--json"))["rows"]
    (row,) = (row for row in rows if row["kind"] == "entry")
    assert row["headline"] == results["scores"]["headline"]["value"]
    assert len(rows) == 3  # and the two baselines of the dry run

    local = json.loads(pastiche("evaluate", kit, "--competition", "patterns", "--json"))
    assert (
        [pair["id"] for pair in local["pairs"]]
        == [pair["id"] for pair in results["pairs"]]
        == ["p000", "p001"]
    )
    for ours, theirs in zip(local["pairs"], results["pairs"], strict=True):
        compared = sorted(theirs["values"].keys() - {"seconds"})
        assert {"headline", "content", "style"} <= set(compared)
        for name in compared:
            assert ours["values"][name] == pytest.approx(theirs["values"][name], abs=1e-6), name

    pastiche("pull", submission["id"], "--out", str(out))
    assert sorted(path.name for path in out.iterdir()) == ["p000.png", "p001.png", "run.json"]
