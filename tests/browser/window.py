"""A browser window, and everything that may be wrong with what it shows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, Response

from tests.browser.budgets import LAYOUT_SHIFT, Budget, Weight, weigh

PATIENCE_SECONDS = 20
HEIGHTS = {1280: 900, 375: 812}
LOCALES = {"en": "en-US", "zh-hans": "zh-CN"}
# What a first visit measures of itself; runs before the page's own scripts.
WATCH = """
window.seen = {shift: 0, paint: 0};
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.seen.shift += one.value;
}).observe({type: "layout-shift", buffered: true});
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.seen.paint = one.startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
"""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
AXE = Axe()


@dataclass(frozen=True)
class Look:
    """How somebody looks at pages."""

    language: str = "en"
    theme: str = "light"
    width: int = 1280
    has_scripts: bool = True


@dataclass(frozen=True)
class Visit:
    """What a first visit cost."""

    weight: Weight
    paint_ms: float


class Window:
    """One window of a browser that has never been here; what is wrong is collected until `check`."""

    def __init__(
        self, browser: Browser, address: str, look: Look, cookies: dict[str, str] | None = None
    ) -> None:
        """Open it with the cookies of somebody."""
        self.look, self.address = look, address
        self.context = _open_context(browser, look)
        named = {"django_language": look.language} | (cookies or {})
        self.context.add_cookies([{"name": n, "value": v, "url": address} for n, v in named.items()])
        self.page: Page = self.context.new_page()
        self._developer = self.context.new_cdp_session(self.page)
        self.faults: list[str] = []
        self._refused: set[int] = set()
        self._pending: set[Request] = set()
        self._responses: list[Response] = []
        self._listen()

    def forget(self) -> None:
        """Throw away what the browser has kept of earlier pages, so that the next visit is a first one."""
        self._developer.send("Network.clearBrowserCache")

    def go(self, path: str, *, status: int = 200) -> Visit:
        """Go to a page, wait until all that it loads is there, and return what that cost."""
        self._responses.clear()
        with self.refusing(*([status] if status >= 400 else [])):
            answer = self.page.goto(f"{self.address}{path}", wait_until="load")
            self.settle()
        if answer is None or answer.status != status:
            self.faults.append(f"{path} answered {answer and answer.status} instead of {status}")
        return Visit(weigh(self._responses), self._seen("paint"))

    @contextmanager
    def refusing(self, *statuses: int) -> Iterator[None]:
        """Expect the server to refuse: browsers report such pages as errors."""
        self._refused |= set(statuses)
        yield
        self._refused -= set(statuses)

    def settle(self) -> None:
        """Wait until nothing is being loaded and what came is laid out."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        self._frames()
        while self._pending and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
            if not self._pending:
                self._frames()
        if self._pending:
            self.faults.append(f"never came: {[request.url for request in self._pending]}")

    def turn(self, *, theme: str | None = None, width: int | None = None) -> None:
        """Change theme or width of the page that is open."""
        self.look = replace(self.look, theme=theme or self.look.theme, width=width or self.look.width)
        self.page.emulate_media(color_scheme=self.look.theme)  # type: ignore[arg-type]
        self.page.set_viewport_size({"width": self.look.width, "height": HEIGHTS[self.look.width]})
        self.settle()

    def look_over(self) -> None:
        """Note what is too wide, what axe finds, and whether anything has moved by itself since the page came."""
        self.measure()
        if not self.look.has_scripts:
            return
        for one in AXE.run(self.page).response["violations"]:
            shown = [node["html"][:160] for node in one["nodes"][:3]]
            found = f"{one['id']} ({one['impact']}, {self.look.theme}, {self.look.width})"
            self.faults.append(f"{found}: {shown}")
        if (shift := self._seen("shift")) > LAYOUT_SHIFT:
            self.faults.append(f"what was there moved by {shift:.3f}")

    def measure(self) -> None:
        """Note what is too wide."""
        wide = self.page.evaluate("() => document.documentElement.scrollWidth")
        if wide > self.look.width:
            self.faults.append(f"{wide} pixels wide in a window of {self.look.width}")

    def check(self, visit: Visit | None = None, budget: Budget | None = None) -> None:
        """Fail with all faults so far."""
        if visit is not None and budget is not None:
            self.faults += visit.weight.over(budget)
        found, self.faults = self.faults, []
        assert not found, f"{self.page.url}, {self.look}:\n" + "\n".join(found)

    def close(self) -> None:
        """Close it."""
        self.context.close()

    def _listen(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._ask)
        self.page.on("response", self._answer)
        self.page.on("requestfinished", lambda request: self._pending.discard(request))
        self.page.on("requestfailed", self._fail)

    def _hear(self, message: ConsoleMessage) -> None:
        is_refusal = any(f"with a status of {status}" in message.text for status in self._refused)
        if message.type == "error" and not is_refusal:
            self.faults.append(f"console: {message.text}")

    def _ask(self, request: Request) -> None:
        self._pending.add(request)
        if not request.url.startswith(f"{self.address}/"):
            self.faults.append(f"asked elsewhere: {request.url[:200]}")

    def _answer(self, response: Response) -> None:
        self._responses.append(response)
        request, status = response.request, response.status
        # Pages lead on to others; a fragment that has not changed is not sent again.
        if not request.is_navigation_request() and not 200 <= status < 300 and status != 304:
            self.faults.append(f"{request.resource_type} {status}: {response.url}")

    def _fail(self, request: Request) -> None:
        self._pending.discard(request)
        if request.failure and "ERR_ABORTED" not in request.failure:  # leaving a page ends what it loads
            self.faults.append(f"{request.failure}: {request.url}")

    def _seen(self, name: str) -> float:
        return float(self.page.evaluate(f"() => window.seen.{name}")) if self.look.has_scripts else 0.0

    def _frames(self) -> None:
        if not self.look.has_scripts:
            return self.page.wait_for_timeout(50)
        try:
            self.page.evaluate(TWO_FRAMES)
        except Error as error:  # a click that leads on: the next page is what has to be there
            if "context was destroyed" not in error.message:
                raise
            self.page.wait_for_load_state("load")
        return None


def _open_context(browser: Browser, look: Look) -> BrowserContext:
    context = browser.new_context(
        viewport={"width": look.width, "height": HEIGHTS[look.width]},
        color_scheme=look.theme,  # type: ignore[arg-type]
        locale=LOCALES[look.language],
        java_script_enabled=look.has_scripts,
        has_touch=look.width < 600,
    )
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    if look.has_scripts:
        context.add_init_script(WATCH)
    return context
