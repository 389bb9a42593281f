"""Answer framed pairs with one generator: the one file of ours that runs inside the sandbox."""

import importlib
import json
import os
import random
import struct
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

# The wire format. `evaluation.generation.protocol` imports these, so that the two ends cannot differ.
PAIR_MAGIC = b"PSTP"
MESSAGE_MAGIC = b"PSTM"
PAIR_HEADER = struct.Struct("!4sIHH16s")  # magic, seq, height, width, nonce; then raw uint8 RGB
MESSAGE = struct.Struct("!4s16s492s")  # magic, code, text: one fixed size for every message

SEED = 20260101

Stylize = Callable[[np.ndarray, np.ndarray], np.ndarray]


class BadOutputError(Exception):
    """The generator returned something other than a uint8 image of the size of its content image."""


class Channel:
    """The two pipe ends of the protocol, moved away from the standard streams."""

    def __init__(self) -> None:
        """Take descriptors 0 and 1, so that print() and input() cannot touch the protocol."""
        self._input = os.dup(0)
        self._output = os.dup(1)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(2, 1)
        os.close(null)
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(line_buffering=True)

    def read(self, size: int) -> bytearray | None:
        """Read exactly `size` bytes; None when the other end closed instead."""
        data = bytearray(size)
        view = memoryview(data)
        done = 0
        while done < size:
            count = os.readv(self._input, [view[done:]])
            if count == 0:
                return None
            done += count
        return data

    def write(self, *parts: bytes | bytearray | memoryview) -> None:
        """Write all bytes of all parts."""
        for part in parts:
            view = memoryview(part)
            while view:
                view = view[os.write(self._output, view) :]

    def send(self, code: str, text: str = "") -> None:
        """Send one message; the text is cut to what fits."""
        self.write(MESSAGE.pack(MESSAGE_MAGIC, code.encode(), text.encode(errors="replace")[:492]))


def load_python(bundle: Path, manifest: dict[str, object], device: str, threads: int) -> Stylize:
    """Import the entry `module:Class` from the bundle and construct it with `(bundle_dir, device)`."""
    module_name, class_name = str(manifest["entry"]).split(":")
    sys.path.insert(0, str(bundle))
    module = importlib.import_module(module_name)
    if (torch := sys.modules.get("torch")) is not None:
        torch.set_num_threads(threads)
    set_seeds()
    generator = getattr(module, class_name)(str(bundle), device)
    stylize: Stylize = generator.stylize
    return stylize


def load_onnx(bundle: Path, manifest: dict[str, object], device: str, threads: int) -> Stylize:
    """Open an ONNX graph with the inputs `content` and `style` (NCHW) in a plain CPU session.

    uint8 graphs see 0..255; float32 graphs see and return -1..1. No custom operator is ever registered.
    """
    import onnxruntime  # only this format needs it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    session = onnxruntime.InferenceSession(
        str(bundle / str(manifest["entry"])), options, providers=["CPUExecutionProvider"]
    )
    names = sorted(node.name for node in session.get_inputs())
    if names != ["content", "style"]:
        raise ValueError(f"the graph has the inputs {names}; expected ['content', 'style']")
    io = manifest["io"]
    is_float = isinstance(io, dict) and io.get("dtype") == "float32"

    def stylize(content: np.ndarray, style: np.ndarray) -> np.ndarray:
        feed = {"content": to_nchw(content, is_float), "style": to_nchw(style, is_float)}
        return from_nchw(session.run(None, feed)[0], is_float)

    return stylize


FORMATS = {"python": load_python, "onnx": load_onnx}


def to_nchw(image: np.ndarray, is_float: bool) -> np.ndarray:
    """Turn uint8 (H, W, 3) into (1, 3, H, W): uint8 as it is, or float32 in -1..1."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1)[None])
    return planes.astype(np.float32) / np.float32(127.5) - np.float32(1) if is_float else planes


def from_nchw(planes: np.ndarray, is_float: bool) -> np.ndarray:
    """Turn (1, 3, H, W) into uint8 (H, W, 3); floats become round(127.5 * (x + 1)), clipped to 0..255."""
    if not isinstance(planes, np.ndarray) or planes.ndim != 4 or planes.shape[0] != 1:
        raise BadOutputError(f"the graph returned shape {np.shape(planes)}; expected (1, 3, H, W)")
    if is_float and planes.dtype == np.float32:
        bad = int(planes.size - np.isfinite(planes).sum())
        if bad:
            print(f"{bad} of {planes.size} output values are NaN or infinite", file=sys.stderr)
        levels = np.nan_to_num(127.5 * (planes + 1.0), nan=0.0, posinf=255.0, neginf=0.0)
        planes = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(planes[0].transpose(1, 2, 0))


def set_seeds() -> None:
    """Seed all random numbers, so that the answer to a pair does not depend on its turn."""
    random.seed(SEED)
    np.random.seed(SEED)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(SEED)


def check_output(stylized: object, shape: tuple[int, ...]) -> np.ndarray:
    """Return the output as contiguous uint8 of `shape`, or raise BadOutputError."""
    if not isinstance(stylized, np.ndarray):
        raise BadOutputError(f"stylize returned {type(stylized).__name__}; expected a numpy array")
    if stylized.dtype != np.uint8 or stylized.shape != shape:
        found = f"{stylized.dtype} of shape {stylized.shape}"
        raise BadOutputError(f"stylize returned {found}; expected uint8 of shape {shape}")
    return np.ascontiguousarray(stylized)


def failure_code(error: BaseException, bundle: Path, otherwise: str) -> str:
    """Name the failure: a missing file of the bundle, a bad output, no memory, or `otherwise`."""
    if isinstance(error, BadOutputError):
        return "BAD_OUTPUT"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "OUT_OF_MEMORY"
    if "can't allocate memory" in str(error):  # torch on the CPU raises a plain RuntimeError
        return "OUT_OF_MEMORY"
    cause: BaseException | None = error
    while cause is not None:
        if is_missing_bundle_file(cause, bundle):
            return "MISSING_FILE"
        cause = cause.__cause__ or cause.__context__
    return otherwise


def is_missing_bundle_file(error: BaseException, bundle: Path) -> bool:
    """Say whether a file is missing that belongs into the bundle: below it, or named by a relative path."""
    if type(error).__name__ == "NoSuchFile":  # onnxruntime's own
        return True
    if not isinstance(error, FileNotFoundError):
        return False
    if error.filename is None:  # safetensors gives only a text
        return str(bundle) in str(error) or "/" not in str(error)
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    return not os.path.isabs(name) or os.path.normpath(name).startswith(f"{bundle}{os.sep}")


def fail(channel: Channel, code: str, error: BaseException) -> None:
    """Write the traceback to the log, send one message, and end at once."""
    traceback.print_exception(error)
    sys.stderr.flush()
    channel.send(code, f"{type(error).__name__}: {error}")
    os._exit(1)


def answer_pairs(channel: Channel, stylize: Stylize, bundle: Path) -> None:
    """Answer one pair after the other until the input ends."""
    while (header := channel.read(PAIR_HEADER.size)) is not None:
        height, width = PAIR_HEADER.unpack(header)[2:4]
        pixels = channel.read(2 * height * width * 3)
        if pixels is None:
            break
        content, style = np.frombuffer(pixels, np.uint8).reshape(2, height, width, 3)
        try:
            set_seeds()
            stylized = check_output(stylize(content, style), (height, width, 3))
        except Exception as error:
            fail(channel, failure_code(error, bundle, "CRASHED"), error)
        else:
            channel.write(header, stylized.data.cast("B"))


def main() -> None:
    """Say hello, wait for the word to go, load the generator, say ready, answer pairs."""
    bundle, device, threads = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    channel = Channel()
    channel.send("HELLO")  # nothing of the participant's has run so far
    if channel.read(MESSAGE.size) is None:
        return
    try:
        manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
        stylize = FORMATS[manifest["format"]](bundle, manifest, device, threads)
    except Exception as error:
        fail(channel, failure_code(error, bundle, "LOAD_FAILED"), error)
    else:
        channel.send("READY")
        answer_pairs(channel, stylize, bundle)
    sys.stdout.flush()
    os._exit(0)  # a generator's threads must not keep the process


if __name__ == "__main__":
    main()
