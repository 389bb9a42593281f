"""The reference generators run inside the real sandbox under the limits of the demo's phase."""

from pathlib import Path

import numpy as np
import pytest

from baselines.export import export_baseline, ready_names
from baselines.registry import BASELINES
from competitions.services.competitions import PhasePlan
from evaluation.archive import unpack_archive
from evaluation.generation.driver import Limits
from tests.attacks.generators import images
from tests.workers.sandboxes import driver, sandbox
from workers.sandbox.surroundings import SandboxDriver

__all__ = ["driver", "sandbox"]
pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

SIDE = 256  # pixels, as in the demo
LIMITS = Limits(pair_seconds=30, memory_mb=PhasePlan.memory_mb, cpu_threads=1)


@pytest.mark.parametrize("name", [name for name in ready_names() if BASELINES[name].kind == "learned"])
def test_a_learned_baseline_paints_within_the_limits_of_the_demo(
    driver: SandboxDriver, tmp_path: Path, name: str
) -> None:
    if driver.name == "docker":
        pytest.skip("the image of the engine tests has no torch")
    bundle = tmp_path / "bundle"
    info = unpack_archive(export_baseline(name, tmp_path).path, bundle)
    for path in (bundle, *bundle.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    pairs = images(2, SIDE)
    session = driver.start(bundle, info.manifest, LIMITS, lambda chunk: None)
    try:
        pictures = [session.predict(content, style).stylized for content, style in pairs]
        usage = session.close()
    finally:
        session.abort()
    assert all(picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert all(np.abs(p.astype(int) - c).mean() > 5 for p, (c, _) in zip(pictures, pairs, strict=True))
    assert 0 < (usage.peak_memory_mb or 0) < LIMITS.memory_mb
