"""What a page may weigh at its first visit, by kind, and what was measured."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass

from playwright.sync_api import Response

KB = 1024
SCRIPTS, STYLES = 30 * KB, 15 * KB
# Sum of all movements of what was already there.
LAYOUT_SHIFT = 0.02
TEXTS = ("document", "stylesheet", "script")


@dataclass(frozen=True)
class Budget:
    """Bytes: document, styles and scripts together, packed; images that load before anybody scrolls."""

    texts: int
    images: int


BUDGETS = {
    "list": Budget(60 * KB, 200 * KB),
    "overview": Budget(60 * KB, 200 * KB),
    "board": Budget(80 * KB, 180 * KB),
    "pictures": Budget(70 * KB, 250 * KB),
    "form": Budget(60 * KB, 150 * KB),
}


@dataclass(frozen=True)
class Weight:
    """What a visit has loaded, in bytes; texts packed as a server in front would pack them."""

    documents: int
    styles: int
    scripts: int
    images: int

    @property
    def texts(self) -> int:
        """Return all but the images."""
        return self.documents + self.styles + self.scripts

    def over(self, budget: Budget) -> list[str]:
        """List what is too heavy."""
        limits = [
            ("scripts", self.scripts, SCRIPTS),
            ("styles", self.styles, STYLES),
            ("document, styles and scripts", self.texts, budget.texts),
            ("images before scrolling", self.images, budget.images),
        ]
        return [f"{name}: {n / KB:.1f} of {most // KB} KB" for name, n, most in limits if n > most]


def weigh(responses: Sequence[Response]) -> Weight:
    """Add up what these responses brought."""
    sums = dict.fromkeys((*TEXTS, "image"), 0)
    for response in responses:
        kind = response.request.resource_type
        if kind in TEXTS and response.status == 200:
            sums[kind] += len(gzip.compress(response.body(), 6))
        elif kind == "image" and response.status == 200:
            announced = response.headers.get("content-length")
            sums[kind] += int(announced) if announced else len(response.body())
    return Weight(*(sums[kind] for kind in (*TEXTS, "image")))
