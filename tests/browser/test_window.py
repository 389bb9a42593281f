"""The window itself: each fault of a page is noticed, and a page without faults passes."""

import base64
import random
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from tests.browser.budgets import BUDGETS
from tests.browser.window import Look, Window

PAGE = """<!doctype html><html lang="en"><head><title>A page</title><link rel="icon" href="/icon">
<meta name="viewport" content="width=device-width"></head><body><main><h1>A page</h1>{}</main></body></html>"""
RANDOM = f"/* {base64.b64encode(random.Random(1).randbytes(80_000)).decode()} */"
FAULTS = {
    "<script>console.error('broken')</script>": "console: broken",
    "<script>throw new Error('thrown')</script>": "script: thrown",
    '<img src="/missing" alt="">': "image 404",
    '<img src="http://127.0.0.1:9/x" alt="">': "asked elsewhere",
    '<div style="width: 2000px">wide</div>': "pixels wide in a window of 1280",
    '<img src="/icon">': "image-alt",
    '<p style="color: #ccc">pale</p>': "color-contrast",
    f"<script>{RANDOM}</script>": "document, styles and scripts",
    '<script src="/heavy.js"></script>': "scripts: ",
    "<div id='top'></div><p style='height: 500px'>text</p>"
    "<script>setTimeout(() => {document.getElementById('top').style.height = '300px'}, 50)</script>": "was there moved",
}


class _Pages(BaseHTTPRequestHandler):
    """Serves one body as a page, a script that is too long, and an icon."""

    body = ""

    def do_GET(self) -> None:
        """Answer."""
        known = {"/": ("text/html", PAGE.format(self.body)), "/heavy.js": ("text/javascript", RANDOM)}
        known["/icon"] = ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")
        kind, text = known.get(self.path, ("text/html", PAGE))
        self.send_response(200 if self.path in known else 404)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def window(browser: Browser) -> Iterator[Window]:
    """A window on the server of pages."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = Window(browser, f"http://127.0.0.1:{server.server_address[1]}", Look())
        yield made
        made.close()
        server.shutdown()


def look_at(window: Window, body: str) -> None:
    """Show a body as a page, and check it."""
    _Pages.body = body
    visit = window.go("/")
    window.page.wait_for_timeout(150)
    window.look_over()
    window.check(visit, BUDGETS["form"])


def test_a_page_without_faults_passes(window: Window) -> None:
    look_at(window, "<p>Nothing is wrong.</p>")


@pytest.mark.parametrize("body", FAULTS, ids=list(FAULTS.values()))
def test_a_fault_is_noticed(window: Window, body: str) -> None:
    with pytest.raises(AssertionError, match=FAULTS[body]):
        look_at(window, body)


def test_a_status_that_was_not_expected_is_noticed(window: Window) -> None:
    window.go("/nowhere")
    with pytest.raises(AssertionError, match="answered 404 instead of 200"):
        window.check()
    window.go("/nowhere", status=404)
    window.check()
