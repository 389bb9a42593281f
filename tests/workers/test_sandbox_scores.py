"""A generator that changes the libraries by which scores are computed changes no score."""

from pathlib import Path

import pytest

from evaluation.generation.generate import stylize_pairs
from evaluation.images import read_rgb, write_png
from evaluation.manifest import parse_manifest
from evaluation.pairs import read_pairs
from tests.attacks.attack import program
from tests.attacks.generators import LIMITS, model, write_bundle
from tests.conftest import write_dataset
from tests.workers.sandboxes import sandbox
from tests.workers.test_scorer import SUITE
from workers.sandbox.bubblewrap import BubblewrapDriver
from workers.scorer import Question, ScorerProcess

__all__ = ["sandbox"]
pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

PATCHES = """
import builtins, json, types
for name in ("mean", "sum", "std", "var", "dot", "matmul", "abs", "sqrt", "linalg"):
    setattr(np, name, lambda *a, **k: 1.0)
json.dumps = json.dump = lambda *a, **k: '{"score": 1.0}'
for name in ("torch", "PIL", "PIL.Image", "skimage", "lpips", "evaluation", "evaluation.scoring"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["torch"].manual_seed = lambda seed: None
sys.modules["torch"].set_num_threads = lambda count: None
for name in ("/tmp/scores.json", "/dev/shm/scores.json"): open(name, "w").write('{"score": 1.0}')
sys.stdout.write('{"values": {"ssim": 1.0}}\\n'); os.environ["SCORE"] = "1"
"""
MIX = "return content // 2 + style // 2"


def test_scores_are_those_of_an_honest_run_and_of_the_pictures_themselves(
    sandbox: BubblewrapDriver, tmp_path: Path
) -> None:
    dataset = write_dataset(tmp_path / "dataset", hidden=(1, 2))
    sources = {"honest": model(pair=MIX), "hostile": program(load=PATCHES, pair=MIX)}
    folders = {name: stylized(sandbox, source, dataset, tmp_path / name) for name, source in sources.items()}
    folders["reference"] = tmp_path / "reference"
    folders["reference"].mkdir()
    for pair in read_pairs(dataset):
        picture = read_rgb(pair.content) // 2 + read_rgb(pair.style) // 2
        write_png(picture, folders["reference"] / f"{pair.id}.png")
    scorer = ScorerProcess(threads=1, cache_dir=tmp_path / "features")
    try:
        found = {name: scores(scorer, folder, dataset) for name, folder in folders.items()}
    finally:
        scorer.stop()
    assert len(found["reference"]) == 4
    assert found["hostile"] == found["honest"] == found["reference"]


def stylized(driver: BubblewrapDriver, source: str, dataset: Path, folder: Path) -> Path:
    """Write what a generator makes of all pairs."""
    folder.mkdir()
    bundle = write_bundle(folder / "bundle", source)
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    session = driver.start(bundle, manifest, LIMITS, lambda chunk: None)
    try:
        for pair, prediction in stylize_pairs(session, read_pairs(dataset)):
            write_png(prediction.stylized, folder / f"{pair.id}.png")
        session.close()
    finally:
        session.abort()
    return folder


def scores(scorer: ScorerProcess, folder: Path, dataset: Path) -> dict[str, object]:
    """Score a folder of pictures as a run of its own."""
    question = Question(SUITE.to_json(), dataset)
    scorer.open(question)
    return {
        path.stem: scorer.score(question, run=folder.name, pair_id=path.stem, output=path, seconds=0.1).values
        for path in sorted(folder.glob("*.png"))
    }
