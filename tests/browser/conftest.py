"""Fixtures of the browser: Chromium, a house with its stock, windows that fail on what is wrong."""

import json
import shutil
from collections.abc import Callable, Iterator

import pytest
import requests
from playwright.sync_api import Browser, sync_playwright

from evaluation.demo.dataset import write_demo_dataset
from tests.browser.budgets import KB
from tests.browser.chromium import FLAGS, find_chromium, what_is_missing
from tests.browser.mail import Mailbox, mailbox
from tests.browser.person import Person
from tests.browser.window import Look, Visit, Window
from tests.conftest import write_dataset
from tests.walks.house import House, house

Stocked = tuple[House, dict[str, str]]
Sit = Callable[[Look], Person]
SETTLING_SECONDS = 120
FURNISH = "from tests.browser.furnish import main; main()"
FILL = "from tests.browser.stock import main; main()"
MEASURED = pytest.StashKey[dict[str, Visit]]()
HEAVIEST = 12


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Run Chromium; it ends with this room, since Playwright's event loop would keep Django from its database."""
    if missing := what_is_missing():
        pytest.skip(missing)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="package")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stocked]:
    """A web server over a full database, and the keys of what is in it; no worker changes anything."""
    folder = tmp_path_factory.mktemp("stocked")
    (folder / "dataset").mkdir()
    write_demo_dataset(folder / "dataset")
    with house(folder / "house", folder / "dataset") as made:
        keys = json.loads(made.manage("shell", "--command", FILL).splitlines()[-1])
        made.start("web")
        yield made, keys


@pytest.fixture(scope="package")
def visitor(browser: Browser, stocked: Stocked) -> Iterator[Callable[[str, str], Window]]:
    """Return a function that gives a window of the stocked house by language and user; pages share windows."""
    house, keys = stocked
    opened: dict[tuple[str, str], Window] = {}

    def window(language: str, who: str) -> Window:
        if (language, who) not in opened:
            cookies = {"sessionid": keys[who]} if who else {}
            opened[language, who] = Window(browser, house.address, Look(language), cookies)
        opened[language, who].faults.clear()  # of a test that failed before
        return opened[language, who]

    yield window
    for one in opened.values():
        one.close()


@pytest.fixture(scope="package")
def mails() -> Iterator[Mailbox]:
    """The mail server of the house that people walk through."""
    with mailbox() as running:
        yield running


@pytest.fixture(scope="package")
def lived_in(mails: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house with all of its services, in which two baselines stand on the board."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not installed")
    folder = tmp_path_factory.mktemp("lived-in")
    dataset = write_dataset(folder / "dataset", size=256)
    with house(folder / "house", dataset, PASTICHE_EMAIL_URL=mails.address) as made:
        made.manage("shell", "--command", FURNISH)
        made.start("web", "worker", "scheduler")
        made.until(lambda: _n_rows(made) == 2, seconds=SETTLING_SECONDS)
        yield made


def _n_rows(made: House) -> int:
    board = requests.get(f"{made.address}/api/v1/competitions/small/leaderboard/", timeout=30).json()
    return len(board["rows"])


@pytest.fixture
def sit(browser: Browser, lived_in: House) -> Iterator[Sit]:
    """Return a function that sits somebody down before a new window of the house with all services."""
    people: list[Person] = []

    def down(look: Look) -> Person:
        people.append(Person(Window(browser, lived_in.address, look)))
        return people[-1]

    yield down
    for person in people:
        person.window.close()


@pytest.fixture
def record(pytestconfig: pytest.Config) -> Callable[[str, Visit], None]:
    """Return a function that keeps what a first visit cost, for the summary."""
    kept = pytestconfig.stash.setdefault(MEASURED, {})
    return kept.__setitem__


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what the slowest pages cost; the time is told and not judged, since it is the machine's too."""
    kept = config.stash.get(MEASURED, {})
    if not kept:
        return
    terminalreporter.section("slowest first visits")
    for name, visit in sorted(kept.items(), key=lambda item: -item[1].paint_ms)[:HEAVIEST]:
        texts, images = visit.weight.texts / KB, visit.weight.images / KB
        cost = f"{visit.paint_ms:5.0f} ms, {texts:5.1f} KB of text, {images:5.1f} KB of images"
        terminalreporter.line(f"{cost}: {name}")
