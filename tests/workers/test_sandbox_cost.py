"""What the sandbox costs, with room for busy neighbors: a slow start, a stalled pipe or slow work would show."""

import pytest

from tests.sandbox_cost import measure
from tests.workers.sandboxes import sandbox

__all__ = ["sandbox"]
pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("sandbox")]


def test_the_sandbox_costs_little() -> None:
    cost = measure(rounds=3, pairs=20)
    assert cost["start_added_ms"] < 1000  # type: ignore[operator]
    assert cost["pairs_per_second"] > 50  # type: ignore[operator]
    assert cost["work_ratio_best"] < 2  # type: ignore[operator]
