"""Fixtures of the browser: Chromium, a house with its stock, windows that fail on what is wrong."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from evaluation.demo.dataset import write_demo_dataset
from tests.browser.budgets import KB
from tests.browser.chromium import FLAGS, find_chromium, what_is_missing
from tests.browser.window import Look, Visit, Window
from tests.walks.house import House, house

Stocked = tuple[House, dict[str, str]]
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
        return opened[language, who]

    yield window
    for one in opened.values():
        one.close()


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
        weight = visit.weight
        terminalreporter.line(
            f"{visit.paint_ms:5.0f} ms, {weight.texts / KB:5.1f} KB of text, {weight.images / KB:5.1f} KB of images, "
            f"moved {visit.shift:.3f}: {name}"
        )
