"""Debian's Chromium, driven by Playwright without any browser of its own."""

import importlib.util
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without a sandbox of its own, for it may run as root; and without anything that would ask the network.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def find_chromium() -> str | None:
    """Return the path of the browser, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def what_is_missing() -> str:
    """Say why no browser can be started; empty where one can."""
    if (
        importlib.util.find_spec("playwright") is None
        or importlib.util.find_spec("axe_playwright_python") is None
    ):
        return "Playwright is not installed"
    return "" if find_chromium() else "Chromium is not installed"
