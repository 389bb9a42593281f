"""The training frame: it resumes to the bit, stops where it must, and leaves nothing half-written."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from baselines.baseline import Baseline
from baselines.record import read_record
from baselines.registry import BASELINES
from baselines.training.errors import Diverged, OtherRun, OutOfMemory
from baselines.training.features import InvalidTeacher, load_features
from baselines.training.log import draw_curves, open_log, write_line
from baselines.training.losses import content_loss, gram_loss, gram_matrices, statistics_loss
from baselines.training.method import Batch, Method, Turn, parameters_of
from baselines.training.recipe import Recipe
from baselines.training.run import Run
from baselines.training.train import check_device, is_out_of_memory
from evaluation.errors import EvaluationError
from tests.baselines.learning import SIDE, features, fixed_batch, train_briefly

ADAIN = BASELINES["adain"]


class Stopped(Exception):
    """The machine was taken away."""


class Tint(nn.Module):
    """The smallest generator: it shifts the colors."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(3, 1, 1))

    def forward(self, content: Tensor, style: Tensor, strength: float = 1.0) -> Tensor:
        return content + strength * self.shift


class TintMethod(Method):
    """Moves the mean color to that of the style; at step `bad` the loss is what `failure` makes of it."""

    def __init__(self, bad: int = -1, failure: str = "nan") -> None:
        super().__init__()
        self.generator, self.rest = Tint(), Tint()
        self.bad, self.failure = bad, failure

    def turns(self) -> list[Turn]:
        return [Turn("generator", parameters_of(self.generator), self.losses, rate=0.01, falls=True)]

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        stylized = self.rest(self.stylize(batch.content, batch.style), batch.style)
        loss = (stylized.mean(dim=(2, 3)) - batch.style.mean(dim=(2, 3))).square().mean()
        if batch.step == self.bad:
            if self.failure == "memory":
                raise torch.OutOfMemoryError("CUDA out of memory")
            return {"color": loss * float("nan"), "other": loss}
        return {"color": loss}


def run_tint(bad: int = -1, **recipe: object) -> Run:
    settings = {"steps": 100, "batch": 2, "size": SIDE} | recipe
    return Run(TintMethod(bad), Recipe(**settings), {"name": "tint"}, "cpu")  # type: ignore[arg-type]


def test_a_stopped_run_ends_with_the_weights_of_one_go(tmp_path: Path) -> None:
    def stop(step: int) -> None:
        if step == 5:
            raise Stopped

    train_briefly(ADAIN, tmp_path / "whole", steps=6, save_every=2)
    with pytest.raises(Stopped):
        train_briefly(ADAIN, tmp_path / "parts", steps=6, save_every=2, report=stop)
    assert len((tmp_path / "parts" / "log.jsonl").read_text().splitlines()) == 5
    train_briefly(ADAIN, tmp_path / "parts", steps=6, save_every=2)
    for name in ("weights.safetensors", "log.jsonl", "samples.png"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_a_run_leaves_curves_samples_log_and_a_record_of_its_weights(tmp_path: Path) -> None:
    train_briefly(ADAIN, tmp_path, steps=4, save_every=2)
    record = read_record(tmp_path / "record.json")
    assert (record.name, record.steps, record.size, record.note) == ("adain", 4, SIDE, "generated pictures")
    assert record.contents == 11
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 1, 2, 3]
    assert set(rows[0]) == {"step", "content", "style", "variation", "identity"}
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        "step-000002.png",
        "step-000004.png",
    ]
    for name in ("curves.png", "samples.png"):
        with Image.open(tmp_path / name) as image:
            assert len(image.convert("RGB").getcolors(1 << 20) or []) > 3


def test_other_settings_do_not_go_on_from_a_checkpoint(tmp_path: Path) -> None:
    run = run_tint()
    run.take(fixed_batch())
    run.save(tmp_path)
    other = Run(TintMethod(), run.recipe, {"name": "tint", "batch": 3}, "cpu")
    with pytest.raises(OtherRun, match="other settings: batch"):
        other.resume(tmp_path)
    with pytest.raises(OtherRun, match="has 1 steps already"):
        run_tint(steps=0).resume(tmp_path)


def test_a_turn_moves_its_own_parameters_only() -> None:
    run = run_tint()
    run.take(fixed_batch())
    method = run.method
    assert isinstance(method, TintMethod)
    assert bool((method.generator.shift != 0).all())  # type: ignore[operator]
    assert bool((method.rest.shift == 0).all())


def test_the_rate_falls_to_nothing_over_the_second_half() -> None:
    run = run_tint()
    for progress, share in ((0.0, 1.0), (0.5, 1.0), (0.75, 0.5), (0.99, 0.02)):
        batch = fixed_batch()
        run.take(Batch(batch.content, batch.style, 0, progress))
        assert run.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.01 * share)


def test_a_loss_that_is_no_number_stops_with_its_step_and_keeps_the_checkpoint(tmp_path: Path) -> None:
    run, batch = run_tint(bad=3), fixed_batch()
    for step in range(3):
        run.take(Batch(batch.content, batch.style, step, 0.0))
    run.save(tmp_path)
    kept = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(Diverged, match=r"step 3 is not a number \(color\).*last checkpoint is kept"):
        run.take(Batch(batch.content, batch.style, 3, 0.0))
    assert (tmp_path / "checkpoint.pt").read_bytes() == kept
    assert all(bool(torch.isfinite(p).all()) for p in run.method.parameters())


def test_weights_that_are_no_numbers_do_not_replace_a_good_checkpoint(tmp_path: Path) -> None:
    run = run_tint()
    run.save(tmp_path)
    kept = (tmp_path / "checkpoint.pt").read_bytes()
    with torch.no_grad():
        next(run.method.parameters()).fill_(float("nan"))
    with pytest.raises(Diverged, match="a weight is not a number"):
        run.save(tmp_path)
    assert (tmp_path / "checkpoint.pt").read_bytes() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


class HungryMethod(TintMethod):
    """Runs out of memory at its second step."""

    def __init__(self, features: object, size: int) -> None:
        super().__init__(bad=1, failure="memory")


def test_too_little_memory_names_the_flags_to_lower(tmp_path: Path) -> None:
    hungry = Baseline(
        name="hungry",
        title="Hungry",
        kind="learned",
        code="",
        description="",
        source="",
        method=f"{__name__}:HungryMethod",
    )
    with pytest.raises(OutOfMemory, match=r"--batch \(2\) or --size \(32\)"):
        train_briefly(hungry, tmp_path, steps=4, save_every=1)
    assert not (tmp_path / "weights.safetensors").exists()
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 1


def test_memory_errors_are_recognized_by_type_and_by_the_words_of_the_cpu() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ..."))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_missing_device_is_named() -> None:
    with pytest.raises(EvaluationError, match="no CUDA device.*--device cpu"):
        check_device("cuda")


def test_a_file_that_is_no_teacher_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "teacher.pt"
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(InvalidTeacher, match="Leave out --teacher"):
        load_features("tiny-vgg-1", "cpu", teacher=path)
    with pytest.raises(InvalidTeacher, match="cannot be loaded"):
        load_features("tiny-vgg-1", "cpu", teacher=tmp_path / "nothing.pt")


def test_the_log_forgets_steps_that_were_not_saved(tmp_path: Path) -> None:
    with open_log(tmp_path, 0) as log:
        for step in range(5):
            write_line(log, step, {"loss": 1.0 / (step + 1)})
    with open_log(tmp_path, 3) as log:
        write_line(log, 3, {"loss": 0.5})
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 1, 2, 3]
    assert rows[-1]["loss"] == 0.5
    draw_curves(tmp_path)
    assert (tmp_path / "curves.png").exists()


def test_features_have_gram_matrices_of_one_scale() -> None:
    batch = fixed_batch(4)
    taps = features()(torch.cat([batch.content, batch.style]))
    assert list(taps) == ["r11", "r21", "r31", "r41", "r51"]
    for maps in taps.values():
        assert 0.3 < gram_matrices(maps).square().mean().sqrt() < 3


def test_losses_agree_with_loops() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = ({"r41": torch.rand(1, 3, 4, 5, generator=generator)} for _ in range(2))
    ours, theirs = (maps["r41"][0].double() for maps in (first, second))
    total = 0.0
    for i in range(3):
        for j in range(3):
            products = [float((maps[i] * maps[j]).mean()) for maps in (ours, theirs)]
            total += (products[0] - products[1]) ** 2 / 9
    assert float(gram_loss(first, second, ("r41",))) == pytest.approx(total, rel=1e-5)
    assert float(content_loss(first, second)) == pytest.approx(
        float((ours - theirs).square().mean()), rel=1e-5
    )
    moved = sum(float((ours[c].mean() - theirs[c].mean()) ** 2) / 3 for c in range(3))
    spread = sum(float((ours[c].std() - theirs[c].std()) ** 2) / 3 for c in range(3))
    assert float(statistics_loss(first, second, ("r41",))) == pytest.approx(moved + spread, abs=1e-4)
