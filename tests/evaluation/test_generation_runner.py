"""The runner's own parts: it needs nothing of ours, converts images exactly, and names what went wrong."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation.generation import runner

BUNDLE = Path("/bundle")


def test_it_imports_only_the_standard_library_and_numpy() -> None:
    tree = ast.parse(Path(runner.__file__).read_text())
    named = {
        name.split(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or "."])
    }
    assert named - {"numpy"} <= sys.stdlib_module_names


def test_uint8_planes_come_back_unchanged() -> None:
    image = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    planes = runner.to_nchw(image, is_float=False)
    assert planes.shape == (1, 3, 4, 5)
    assert np.array_equal(runner.from_nchw(planes, is_float=False), image)


def test_all_levels_survive_the_way_through_floats() -> None:
    image = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    planes = runner.to_nchw(image, is_float=True)
    assert planes.dtype == np.float32
    assert (planes.min(), planes.max()) == (-1, 1)
    assert np.array_equal(runner.from_nchw(planes, is_float=True), image)


def test_floats_are_rounded_and_clipped_once() -> None:
    values = np.array([-5, -1, 0.001, 1, 7], np.float32)
    planes = np.broadcast_to(values, (1, 3, 1, 5))
    assert runner.from_nchw(planes, is_float=True)[0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_values_that_are_no_numbers_become_levels_and_are_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    planes = np.array([np.nan, np.inf, -np.inf], np.float32).reshape(1, 3, 1, 1)
    assert runner.from_nchw(planes, is_float=True)[0, 0].tolist() == [0, 255, 0]
    assert "3 of 3 output values are NaN or infinite" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [(3, 4, 4), (2, 3, 4, 4), ()])
def test_a_graph_that_returns_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(runner.BadOutputError, match="expected"):
        runner.from_nchw(np.zeros(shape, np.float32), is_float=True)


def test_an_output_that_is_a_view_is_made_contiguous() -> None:
    image = np.zeros((4, 6, 3), np.uint8)[:, ::2]
    assert runner.check_output(image, (4, 3, 3)).flags.c_contiguous


@pytest.mark.parametrize("output", [None, [[0]], np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)])
def test_another_output_is_refused(output: object) -> None:
    with pytest.raises(runner.BadOutputError, match="stylize returned"):
        runner.check_output(output, (4, 4, 3))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (FileNotFoundError(2, "No such file", "/bundle/weights.pth"), "MISSING_FILE"),
        (FileNotFoundError(2, "No such file", "/bundle/a/../weights.pth"), "MISSING_FILE"),
        (FileNotFoundError(2, "No such file", "weights.pth"), "MISSING_FILE"),
        (FileNotFoundError("No such file or directory: /bundle/w.safetensors"), "MISSING_FILE"),
        (FileNotFoundError(2, "No such file", "/etc/passwd"), "CRASHED"),
        (FileNotFoundError(2, "No such file", "/bundle/../etc/passwd"), "CRASHED"),
        (FileNotFoundError(2, "No such file", "/bundles/x"), "CRASHED"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ..."), "OUT_OF_MEMORY"),
        (MemoryError(), "OUT_OF_MEMORY"),
        (ValueError("weights"), "CRASHED"),
    ],
)
def test_a_failure_has_the_code_of_its_cause(error: Exception, code: str) -> None:
    assert runner.failure_code(error, BUNDLE, "CRASHED") == code


def test_a_missing_file_is_found_below_another_error() -> None:
    error = RuntimeError("cannot load")
    error.__cause__ = FileNotFoundError(2, "No such file", "/bundle/weights.pth")
    assert runner.failure_code(error, BUNDLE, "LOAD_FAILED") == "MISSING_FILE"
