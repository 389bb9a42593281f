"""The plain process driver: good generators answer, broken ones end with their code, nothing is left."""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from evaluation.errors import GenerationError
from evaluation.generation.driver import Session
from evaluation.generation.process import ProcessDriver
from evaluation.manifest import parse_manifest
from tests.attacks.generators import (
    BROKEN,
    LIMITS,
    Broken,
    images,
    killed_load_seconds,
    model,
    remains,
    run,
    write_bundle,
)

MIX = model(pair="return content // 2 + style // 2")


@pytest.fixture(autouse=True)
def _leaves_nothing() -> Iterator[None]:
    yield
    assert remains() == []


@pytest.fixture
def driver() -> ProcessDriver:
    return ProcessDriver()


def test_a_good_generator_answers_every_pair(driver: ProcessDriver, tmp_path: Path) -> None:
    outcome = run(driver, write_bundle(tmp_path / "b", MIX), pairs=5, side=33)
    assert outcome.failure is None
    for (content, style), prediction in zip(images(5, 33), outcome.predictions, strict=True):
        assert np.array_equal(prediction.stylized, content // 2 + style // 2)
        assert 0 <= prediction.seconds < 5
    assert outcome.usage is not None
    assert outcome.usage.load_seconds > 0


def test_an_image_larger_than_the_pipe_goes_through(driver: ProcessDriver, tmp_path: Path) -> None:
    outcome = run(driver, write_bundle(tmp_path / "b", MIX), pairs=1, side=900)
    assert outcome.failure is None
    (content, style), *_ = images(1, 900)
    assert np.array_equal(outcome.predictions[0].stylized, content // 2 + style // 2)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_generator_fails_with_its_code(
    driver: ProcessDriver, tmp_path: Path, broken: Broken
) -> None:
    bundle = write_bundle(tmp_path / "b", broken.source)
    outcome = run(driver, bundle, pairs=broken.pairs, side=broken.side, **broken.limits)
    assert outcome.failure is not None
    assert outcome.failure.code == broken.code, outcome.text
    assert broken.says in outcome.failure.message


def test_printing_and_reading_input_do_not_touch_the_protocol(driver: ProcessDriver, tmp_path: Path) -> None:
    code = model(
        load="print('loaded'); sys.stdout.write('without an end of line')",
        pair="print('pair', self.n, file=sys.stderr); os.write(1, b'raw'); sys.stdin.read(); return content",
    )
    outcome = run(driver, write_bundle(tmp_path / "b", code))
    assert outcome.failure is None
    assert len(outcome.predictions) == 2
    assert "loaded" in outcome.text
    assert "pair 2" in outcome.text
    assert "raw" in outcome.text


def test_a_log_flood_is_cut_and_the_run_goes_on(driver: ProcessDriver, tmp_path: Path) -> None:
    code = model(pair="for _ in range(400): print('x' * 9999)\nreturn content")
    outcome = run(driver, write_bundle(tmp_path / "b", code), log_kb=16)
    assert outcome.failure is None
    assert 16 * 1024 <= len(outcome.log) <= 16 * 1024 + 100
    assert outcome.text.endswith("[the log is cut here: the limit is 16 KiB]\n")


def test_what_a_generator_says_after_it_saw_an_image_is_in_the_log_only(
    driver: ProcessDriver, tmp_path: Path
) -> None:
    code = model(pair="raise ValueError('the first pixel is %d' % content[0, 0, 0])")
    outcome = run(driver, write_bundle(tmp_path / "b", code))
    assert outcome.failure is not None
    assert "first pixel" not in str(outcome.failure)
    assert "ValueError: the first pixel is" in outcome.text


def test_nothing_of_our_environment_is_passed_on(
    driver: ProcessDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "planted-secret")
    outcome = run(driver, write_bundle(tmp_path / "b", model(load="print(dict(os.environ), os.getcwd())")))
    assert "planted-secret" not in outcome.text
    assert str(tmp_path) not in outcome.text


def test_random_numbers_do_not_depend_on_the_turn(driver: ProcessDriver, tmp_path: Path) -> None:
    code = model(pair="return np.random.randint(0, 256, content.shape).astype(np.uint8)")
    first, second = run(driver, write_bundle(tmp_path / "b", code)).predictions
    assert np.array_equal(first.stylized, second.stylized)


def test_modules_of_the_bundle_can_import_each_other(driver: ProcessDriver, tmp_path: Path) -> None:
    code = model(top="from layers import half", pair="return half(content)")
    files = {"layers.py": b"def half(x):\n    return x // 2\n"}
    outcome = run(driver, write_bundle(tmp_path / "b", code, files))
    assert np.array_equal(outcome.predictions[0].stylized, images(2, 16)[0][0] // 2)
    assert not list((tmp_path / "b").rglob("*.pyc"))


def test_too_much_memory_is_seen_and_stopped(driver: ProcessDriver, tmp_path: Path) -> None:
    code = model(pair="self.block = np.ones(400 << 20, np.uint8); time.sleep(5); return content")
    outcome = run(driver, write_bundle(tmp_path / "b", code), memory_mb=200)
    assert outcome.failure is not None
    assert outcome.failure.code == "OUT_OF_MEMORY"
    assert "200 MiB" in outcome.failure.message


def test_a_file_larger_than_the_limit_cannot_be_written(driver: ProcessDriver, tmp_path: Path) -> None:
    code = model(load="open('big', 'wb').write(bytes(9 << 20))")
    outcome = run(driver, write_bundle(tmp_path / "b", code), file_mb=8)
    assert outcome.failure is not None
    assert outcome.failure.code == "LOAD_FAILED"
    assert "File too large" in outcome.text


def test_an_abandoned_session_can_be_ended_from_another_thread(driver: ProcessDriver, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b", model(pair="time.sleep(60)"))
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    session = driver.start(bundle, manifest, LIMITS, lambda chunk: None)
    threading.Timer(0.2, session.kill).start()
    with pytest.raises(GenerationError) as caught:
        session.predict(*images(1, 16)[0])
    assert caught.value.code == "CRASHED"
    assert session.abort() == session.close()
    session.kill()


@pytest.mark.parametrize("after", [0.0, 0.02, 0.6], ids=["at once", "before it says hello", "while it loads"])
def test_a_load_can_be_killed_from_another_thread(
    driver: ProcessDriver, tmp_path: Path, after: float
) -> None:
    bundle = write_bundle(tmp_path / "b", model(load="time.sleep(15)"))
    assert killed_load_seconds(driver, bundle, after=after) < 2


def test_a_watcher_that_fails_ends_the_start_and_leaves_nothing(
    driver: ProcessDriver, tmp_path: Path
) -> None:
    def refuse(session: Session) -> None:
        raise OSError("no watcher")

    bundle = write_bundle(tmp_path / "b", MIX)
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    with pytest.raises(OSError, match="no watcher"):
        driver.start(bundle, manifest, LIMITS, lambda chunk: None, on_launch=refuse)


def test_a_log_that_cannot_be_kept_is_told_at_the_end(driver: ProcessDriver, tmp_path: Path) -> None:
    def fail(chunk: bytes) -> None:
        raise OSError("the disk is full")

    bundle = write_bundle(tmp_path / "b", model(load="print('hello')", pair="print('x'); return content"))
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    session = driver.start(bundle, manifest, LIMITS, fail)
    session.predict(*images(1, 16)[0])
    with pytest.raises(OSError, match="the disk is full"):
        session.close()


def test_a_closed_session_takes_no_pair(driver: ProcessDriver, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b", MIX)
    manifest = parse_manifest((bundle / "manifest.json").read_bytes())
    session = driver.start(bundle, manifest, LIMITS, lambda chunk: None)
    session.close()
    with pytest.raises(ValueError, match="closed"):
        session.predict(*images(1, 16)[0])


def test_a_python_that_is_not_there_is_our_failure(tmp_path: Path) -> None:
    outcome = run(ProcessDriver(python="/nonexistent/python"), write_bundle(tmp_path / "b", MIX))
    assert outcome.failure is not None
    assert outcome.failure.code == "INFRA"


def test_a_program_that_is_no_python_is_our_failure(tmp_path: Path) -> None:
    outcome = run(ProcessDriver(python="/bin/false"), write_bundle(tmp_path / "b", MIX))
    assert outcome.failure is not None
    assert outcome.failure.code == "INFRA"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process of another user")
def test_with_a_user_of_its_own_it_runs_as_that_user_or_says_why_not(tmp_path: Path) -> None:
    driver = ProcessDriver(uid=61990)
    outcome = run(driver, write_bundle(tmp_path / "b", model(load="print('uid', os.getuid())")))
    assert outcome.failure is None
    if "cannot reach" in driver.describe()["user"]:
        assert "uid 0\n" in outcome.text
    else:
        assert driver.describe()["user"] == "uid 61990"
        assert "uid 61990\n" in outcome.text


def test_it_does_not_call_itself_a_sandbox(driver: ProcessDriver) -> None:
    assert not driver.is_sandbox
    assert driver.describe()["driver"] == driver.name == "process"


def test_the_worker_keeps_its_memory_and_descriptors(driver: ProcessDriver, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b", MIX)
    run(driver, bundle)
    before = psutil.Process().num_fds()
    for _ in range(3):
        run(driver, bundle)
        run(driver, bundle, load_seconds=0.001)
    assert psutil.Process().num_fds() == before


WORKER = """
import sys
from pathlib import Path
from evaluation.generation.process import ProcessDriver
from evaluation.manifest import parse_manifest
from tests.attacks.generators import LIMITS, images
bundle = Path(sys.argv[1])
manifest = parse_manifest((bundle / "manifest.json").read_bytes())
session = ProcessDriver().start(bundle, manifest, LIMITS, lambda chunk: None)
print(session._launched.process.pid, flush=True)
session.predict(*images(1, 16)[0])
"""


def test_what_a_killed_worker_left_is_swept_by_the_next_one(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b", model(pair="while True: time.sleep(1)"))
    root = Path(__file__).parents[2]
    with psutil.Popen([sys.executable, "-c", WORKER, str(bundle)], cwd=root, stdout=-1, text=True) as worker:
        child = psutil.Process(int(worker.stdout.readline()))
        time.sleep(0.2)
        worker.kill()
    assert child.is_running()
    ProcessDriver()
    child.wait(5)
    assert list(Path("/tmp").glob(f"pastiche-process-{worker.pid}-*")) == []


def graph(op: str, dtype: str, side: int = 16) -> bytes:
    """Write an ONNX graph of one operator over content and style."""
    onnx = pytest.importorskip("onnx")
    kind = onnx.TensorProto.UINT8 if dtype == "uint8" else onnx.TensorProto.FLOAT
    shape = [1, 3, side, side]
    infos = [onnx.helper.make_tensor_value_info(name, kind, shape) for name in ("content", "style", "out")]
    node = onnx.helper.make_node(op, ["content", "style"], ["out"])
    made = onnx.helper.make_graph([node], "g", infos[:2], infos[2:])
    opset = [onnx.helper.make_opsetid("", 20)]
    return bytes(onnx.helper.make_model(made, opset_imports=opset, ir_version=9).SerializeToString())


ONNX = {"format": "onnx", "entry": "generator.onnx"}


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_an_onnx_graph_answers(driver: ProcessDriver, tmp_path: Path, dtype: str) -> None:
    io = {"dtype": dtype, "layout": "NCHW", "max_side": 64}
    files = {"generator.onnx": graph("Max", dtype)}
    outcome = run(driver, write_bundle(tmp_path / "b", "", files, **ONNX, io=io), memory_mb=1000)
    assert outcome.failure is None, outcome.text
    content, style = images(2, 16)[0]
    assert np.array_equal(outcome.predictions[0].stylized, np.maximum(content, style))


def test_a_file_that_is_no_graph_does_not_load(driver: ProcessDriver, tmp_path: Path) -> None:
    io = {"dtype": "uint8", "layout": "NCHW", "max_side": 64}
    bundle = write_bundle(tmp_path / "b", "", {"generator.onnx": b"no graph"}, **ONNX, io=io)
    outcome = run(driver, bundle, memory_mb=1000)
    assert outcome.failure is not None
    assert outcome.failure.code == "LOAD_FAILED"


def test_generate_writes_pictures_and_a_record(
    dataset: Path, make_archive: Callable[..., Path], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "evaluation", "generate", str(make_archive(code=MIX))]
    command += ["--pairs", str(dataset), "--split", "public", "--out", str(tmp_path / "out"), "--json"]
    printed = json.loads(_output(command))
    assert printed == json.loads((tmp_path / "out" / "generation.json").read_text())
    assert printed["driver"]["driver"] == "process"
    assert printed["failure"] is None
    names = {f"{pair['id']}.png" for pair in printed["pairs"]}
    assert len(names) == 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == names | {"generation.json"}


def test_generate_tells_of_a_failure_in_one_line_and_in_the_record(
    dataset: Path, make_archive: Callable[..., Path], tmp_path: Path
) -> None:
    archive = make_archive(code=model(pair="return content if self.n == 1 else content[:-1]"))
    command = [sys.executable, "-m", "evaluation", "generate", str(archive)]
    command += ["--pairs", str(dataset), "--split", "public", "--out", str(tmp_path / "out")]
    assert "BAD_OUTPUT: Pair 2: the log says more." in _output(command, status=2)
    record = json.loads((tmp_path / "out" / "generation.json").read_text())
    assert record["failure"]["code"] == "BAD_OUTPUT"
    assert record["peak_memory_mb"] is None or record["peak_memory_mb"] > 0
    assert len(record["pairs"]) == 1


def _output(command: list[str], status: int = 0) -> str:
    process = psutil.Popen(
        command, cwd=Path(__file__).parents[2], stdout=-1, stderr=-1 if status == 0 else -2, text=True
    )
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == status, printed
    return str(printed)
