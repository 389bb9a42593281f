"""Weights and programs in other formats that do more than hold numbers, and patches of what computes scores."""

import io
import os
import pickle
from collections.abc import Callable

from tests.attacks.attack import Attack, archive, hostile, program
from tests.attacks.builders import manifest
from tests.attacks.planted import SECRET_FILE
from tests.attacks.zip_writer import file, write_zip

_SANDBOX = "it runs as a user without rights where nothing is to be found"
_ORT = "onnxruntime reads external data only below the model's folder; and nothing is there"
_SEPARATE = "scores are computed by another process from the bytes of the pictures"
_COMMAND = "cat @ || echo 'stopped: no such file'; touch /bundle/here || echo 'stopped: read-only'"
TORCH = {"memory_mb": 2000, "load_seconds": 60, "file_mb": 64}
ORT = {"memory_mb": 900, "load_seconds": 60}


class _Payload:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (_COMMAND.replace("@", str(SECRET_FILE)),)


def _pickled() -> bytes:
    return pickle.dumps({"weights": _Payload()}, protocol=2)


def _zipped_pickle() -> bytes:
    """Write what torch.save writes, with a payload for data.pkl."""
    entries = [file("archive/data.pkl", _pickled()), file("archive/byteorder", b"little")]
    return write_zip([*entries, file("archive/version", b"3\n")])


def _with(load: str, files: Callable[[], dict[str, bytes]]) -> Callable[[], bytes]:
    return lambda: archive(program(load=load), files())


def _numpy_pickle() -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, np.array([_Payload()], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def _torchscript() -> bytes:
    """Write a TorchScript program that reads the planted file and writes another one."""
    import warnings

    import torch

    source = f"""
def forward(self, x: Tensor) -> Tensor:
    found = torch.from_file({str(SECRET_FILE)!r}, False, 8, dtype=torch.uint8)
    return found
"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.jit.ScriptModule()
        module.define(source)
        buffer = io.BytesIO()
        torch.jit.save(module, buffer)
    return buffer.getvalue()


PICKLES = (
    Attack(
        "pickle",
        "run a command when weights are read by pickle",
        _SANDBOX,
        "",
        _with("import pickle; pickle.load(open(bundle_dir + '/w.bin', 'rb'))", lambda: {"w.bin": _pickled()}),
        says="stopped:",
    ),
    Attack(
        "numpy pickle",
        "run a command when an array of objects is read",
        _SANDBOX,
        "",
        _with(
            "import numpy; numpy.load(bundle_dir + '/w.npy', allow_pickle=True)",
            lambda: {"w.npy": _numpy_pickle()},
        ),
        says="stopped:",
    ),
    Attack(
        "torch.load",
        "run a command when weights are read by torch.load",
        _SANDBOX,
        "",
        _with(
            "import torch; torch.load(bundle_dir + '/w.bin', weights_only=False)",
            lambda: {"w.bin": _zipped_pickle()},
        ),
        says="stopped:",
        limits=TORCH,
        needs="torch",
    ),
    Attack(
        "torch.load, safe",
        "the same where only weights may be read",
        "torch refuses other types than weights",
        "LOAD_FAILED",
        _with(
            "import torch; torch.load(bundle_dir + '/w.bin', weights_only=True)",
            lambda: {"w.bin": _zipped_pickle()},
        ),
        says="posix.system",
        limits=TORCH,
        needs="torch",
    ),
    Attack(
        "exported program, loaded",
        "run a command when a .pt2 is read",
        _SANDBOX,
        "",
        lambda: archive(
            program(
                load="""
                import torch
                attempt("pt2", lambda: torch.export.load(bundle_dir + "/w.pt2") and False)
                """
            ),
            {"w.pt2": _exported()},
        ),
        says="stopped: no such file",
        limits=TORCH,
        needs="torch",
    ),
    Attack(
        "TorchScript",
        "read a file of the host by an operator of TorchScript",
        _SANDBOX,
        "",
        lambda: archive(
            program(
                load="""
                import warnings; warnings.simplefilter("ignore")
                import torch
                loaded = torch.jit.load(bundle_dir + "/w.bin")
                attempt("from_file", lambda: bytes(loaded(torch.zeros(1)).numpy()))
                """
            ),
            {"w.bin": _torchscript()},
        ),
        says="from_file stopped:",
        limits=TORCH,
        needs="torch",
    ),
)


def _exported() -> bytes:
    """Export a small program and have its first weight read by pickle, as its own configuration may ask."""
    import zipfile

    import torch

    buffer, changed = io.BytesIO(), io.BytesIO()
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.zeros(1, 2),)), buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            data = source.read(name).replace(b'"use_pickle": false', b'"use_pickle": true')
            target.writestr(name, _zipped_pickle() if name.endswith("/weight_0") else data)
    return changed.getvalue()


def onnx_graph(external: str | None = None, bomb: int = 0, custom: bool = False) -> bytes:
    """Write a graph over content and style: with weights elsewhere, a huge tensor, or an unknown operator."""
    import onnx

    shape, kind = [1, 3, 16, 16], onnx.TensorProto.UINT8
    infos = [onnx.helper.make_tensor_value_info(name, kind, shape) for name in ("content", "style", "out")]
    weights, nodes = [], [onnx.helper.make_node("Max", ["content", "style"], ["out"])]
    if external is not None:
        weight = onnx.TensorProto(name="w", data_type=kind, dims=shape, data_location=1)
        weight.external_data.add(key="location", value=external)
        weights, nodes = [weight], [onnx.helper.make_node("Max", ["content", "style", "w"], ["out"])]
    if custom:
        nodes = [onnx.helper.make_node("Shell", ["content", "style"], ["out"], domain="evil")]
    if bomb:
        size = onnx.helper.make_tensor("size", onnx.TensorProto.INT64, [1], [bomb])
        one = onnx.helper.make_tensor("one", kind, [1], [0])
        nodes = [
            onnx.helper.make_node("ConstantOfShape", ["size"], ["many"], value=one),
            onnx.helper.make_node("ReduceMax", ["many"], ["most"], keepdims=0),
            onnx.helper.make_node("Max", ["content", "style", "most"], ["out"]),
        ]
        weights = [size]
    graph = onnx.helper.make_graph(nodes, "g", infos[:2], infos[2:], initializer=weights)
    opsets = [onnx.helper.make_opsetid("", 20), onnx.helper.make_opsetid("evil", 1)]
    return bytes(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


def _onnx(name: str, tries: str, stopped_by: str, code: str, **graph: object) -> Attack:
    io_ = {"dtype": "uint8", "layout": "NCHW", "max_side": 64}

    def build() -> bytes:
        fields = {"format": "onnx", "entry": "g.onnx", "io": io_}
        known = {k: str(SECRET_FILE) if v == "@" else v for k, v in graph.items()}
        data = onnx_graph(**known)  # type: ignore[arg-type]
        return write_zip([file("manifest.json", manifest(**fields)), file("g.onnx", data)])

    return Attack(f"ONNX: {name}", tries, stopped_by, code, build, limits=ORT, needs="onnxruntime")


ONNX = (
    _onnx(
        "data above",
        "read a file by a path through the parent folder",
        _ORT,
        "LOAD_FAILED",
        external="../../../../etc/ld.so.cache",
    ),
    _onnx("absolute data", "read a file by its absolute path", _ORT, "LOAD_FAILED", external="@"),
    _onnx(
        "data of a process",
        "read the environment of a process",
        _ORT,
        "LOAD_FAILED",
        external="../proc/1/environ",
    ),
    _onnx(
        "constant of any shape",
        "take all memory with a graph of 300 bytes",
        "the control group's memory limit",
        "OUT_OF_MEMORY",
        bomb=3 << 30,
    ),
    _onnx(
        "unknown operator",
        "have code of its own run as an operator",
        "the runner registers none",
        "LOAD_FAILED",
        custom=True,
    ),
)

_PATCHES = """
import json
np.frombuffer = lambda *a, **k: np.zeros(2 * 16 * 16 * 3, np.uint8)
np.mean = np.sum = np.std = lambda *a, **k: np.float64(1.0)
json.dumps = lambda *a, **k: '{"score": 1.0}'
for name in ("PIL.Image", "torch", "skimage.metrics", "evaluation"):
    attempt(name, lambda: name == "evaluation" and bool(__import__(name)))
"""

PATCHES = (
    hostile(
        "patched libraries", "change numpy, json, PIL and torch so that scores rise", _SEPARATE, load=_PATCHES
    ),
    hostile(
        "patched runner",
        "change the runner's own functions",
        "the worker checks every byte that the runner sends",
        load="""
        import __main__
        __main__.check_output = lambda stylized, shape: stylized
        __main__.answer_pairs.__globals__["set_seeds"] = lambda: None
        attempt("scorer", lambda: __import__("evaluation.scoring"))
        """,
    ),
    hostile(
        "library with a constructor",
        "run code when a library is loaded",
        _SANDBOX,
        load="""
        import shutil, subprocess
        source = 'int main(void){return 0;} __attribute__((constructor)) void f(void){'
        source += 'puts(fopen("%s","r")?"REACHED":"stopped: by the constructor"); fflush(stdout);}' % SECRET_FILE
        def load():
            if not shutil.which("cc"): raise OSError(2, "no compiler")
            open("/tmp/x.c", "w").write("#include <stdio.h>\\n" + source)
            subprocess.run(["cc", "-shared", "-fPIC", "-o", "/tmp/x.so", "/tmp/x.c"], check=True)
            ctypes.CDLL("/tmp/x.so")
        attempt("library", load)
        """,
        limits={"pids": 64},
    ),
)

FORMATS = (*PICKLES, *ONNX, *PATCHES)
