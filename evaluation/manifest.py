"""`manifest.json`, the one page of an archive that says what the generator is and how to load it."""

import json
import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from evaluation.errors import InvalidManifest
from evaluation.strict_json import parse_strict_json
from evaluation.zips.names import name_problem

MANIFEST_FILE = "manifest.json"
MAX_MANIFEST_BYTES = 64 * 1024
MAX_DEPTH = 8
RUNTIMES = ("py311-torch215",)
WEIGHTS = {
    "python": (".safetensors", ".pth"),
    "onnx": (".onnx", ".data", ".onnx_data", ".bin"),
}

_PYTHON_ENTRY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}")
_URL = re.compile(r"(https?://[^\s<>\"'`\\{}|^]+)?")
_STRICT = ConfigDict(
    extra="forbid",
    strict=True,
    frozen=True,
    validate_by_name=True,
    validate_by_alias=True,
    serialize_by_alias=True,
)

Text = Annotated[str, Field(max_length=4000, description="text of at most 4000 characters")]


class ImageIO(BaseModel):
    """What the generator takes and gives; `same_size`: the result has the size of the content image."""

    model_config = _STRICT
    dtype: Literal["uint8", "float32"] = Field(
        description='"uint8" (0 to 255), or for onnx also "float32" (-1 to 1)'
    )
    layout: Literal["HWC", "NCHW"] = Field(description='"HWC" for python, "NCHW" for onnx')
    max_side: int = Field(ge=16, le=4096, description="a whole number from 16 to 4096")
    same_size: Literal[True] = Field(
        default=True, description="true: every result has the size of its content image"
    )


class Manifest(BaseModel):
    """The checked content of `manifest.json`; it can never choose limits, network, mounts or commands."""

    model_config = _STRICT
    schema_version: int = Field(alias="schema", ge=1, le=1, description="the number 1")
    name: str = Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*\z",
        max_length=64,
        description="1 to 64 lower-case letters, digits and single hyphens",
    )
    version: str = Field(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,31}\z",
        description='1 to 32 letters, digits, dots, hyphens, for example "1.2.0"',
    )
    format: Literal["onnx", "python"] = Field(description='"python" or "onnx"')
    entry: str = Field(
        max_length=255, description='"module:Class" for python, the name of the .onnx file for onnx'
    )
    runtime: str = Field(description=f"one of {', '.join(RUNTIMES)}")
    device: Literal["cpu", "cuda"] = Field(default="cpu", description='"cpu" or "cuda"')
    weights: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="a list of files: .safetensors or .pth for python, .onnx or its data files for onnx",
    )
    io: ImageIO = Field(
        description='an object, for python {"dtype": "uint8", "layout": "HWC", "max_side": 512}'
    )
    deterministic: bool = Field(default=False, description="true or false")
    license: str = Field(min_length=1, max_length=200, description="the license in 1 to 200 characters")
    training_data: Text = ""
    paper: str = Field(default="", max_length=500, description="an http or https URL, or an empty string")
    title: str = Field(default="", max_length=120, description="text of at most 120 characters")
    description: Text = ""
    sha256: dict[str, str] = Field(
        default={},
        max_length=2000,
        validate_default=True,
        description="an object from file names to sha256 digests of 64 lower-case hexadecimal digits",
    )

    def to_json(self) -> str:
        """Write the form that `parse_manifest` reads: indented, keys in the order of the schema."""
        return self.model_dump_json(indent=2) + "\n"

    @field_validator("entry")
    @classmethod
    def _entry_fits_format(cls, entry: str, info: ValidationInfo) -> str:
        form = info.data.get("format")
        if form == "python" and not _PYTHON_ENTRY.fullmatch(entry):
            raise ValueError('expected "module:Class", for example "model:Model"')
        if form == "onnx":
            _check_name(entry)
            if not entry.endswith(".onnx"):
                raise ValueError('expected the name of a .onnx file, for example "generator.onnx"')
        return entry

    @field_validator("runtime")
    @classmethod
    def _runtime_is_known(cls, runtime: str) -> str:
        if runtime not in RUNTIMES:
            raise ValueError(f"expected one of {', '.join(RUNTIMES)}")
        return runtime

    @field_validator("weights")
    @classmethod
    def _weights_fit_format(cls, weights: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        allowed = WEIGHTS.get(info.data.get("format", ""), ())
        for name in weights:
            _check_name(name)
            if allowed and PurePosixPath(name).suffix not in allowed:
                raise ValueError(
                    f"{name!r} is no weight file for this format; expected {' or '.join(allowed)}"
                )
        if len(set(weights)) != len(weights):
            raise ValueError("a file is listed twice")
        return weights

    @field_validator("io")
    @classmethod
    def _io_fits_format(cls, io: ImageIO, info: ValidationInfo) -> ImageIO:
        form = info.data.get("format")
        if form == "python" and (io.dtype, io.layout) != ("uint8", "HWC"):
            raise ValueError('format "python" takes dtype "uint8" and layout "HWC" only')
        if form == "onnx" and io.layout != "NCHW":
            raise ValueError('format "onnx" takes layout "NCHW" only')
        return io

    @field_validator("paper")
    @classmethod
    def _paper_is_url(cls, paper: str) -> str:
        if not _URL.fullmatch(paper):
            raise ValueError("expected an http or https URL, or an empty string")
        return paper

    @field_validator("sha256")
    @classmethod
    def _digests_cover_weights(cls, digests: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for name, digest in digests.items():
            _check_name(name)
            if name == MANIFEST_FILE:
                raise ValueError("manifest.json cannot hold its own digest")
            if not _HEX.fullmatch(digest):
                raise ValueError(f"the digest of {name!r} is not 64 lower-case hexadecimal digits")
        for name in info.data.get("weights", ()):
            if name not in digests:
                raise ValueError(f"no digest for {name!r}, which is listed in weights")
        return digests


def parse_manifest(data: bytes) -> Manifest:
    """Read the bytes of `manifest.json`.

    Raises:
        InvalidManifest: names each wrong key (up to five), what was found and what was expected.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise InvalidManifest(
            f"manifest.json has {len(data)} bytes; at most {MAX_MANIFEST_BYTES} are allowed.",
            fix="Move long texts out of the manifest.",
        )
    try:
        fields = parse_strict_json(data, max_depth=MAX_DEPTH)
        if not isinstance(fields, dict):
            raise ValueError(f"found {_shown(fields)}, expected an object")
    except ValueError as error:
        raise InvalidManifest(
            f"manifest.json cannot be read: {error}.", fix="Write it as plain UTF-8 JSON, one object."
        ) from error
    try:
        return Manifest.model_validate_json(json.dumps(fields), by_alias=True, by_name=False)
    except ValidationError as error:
        raise _named(error) from error


def _check_name(name: str) -> None:
    problem = name_problem(name)
    if problem:
        raise ValueError(f"the file name {name!r} {problem[1]}")


def _named(error: ValidationError) -> InvalidManifest:
    problems = error.errors(include_url=False)
    sentences = [_sentence(problem) for problem in problems[:5]]
    if len(problems) > 5:
        sentences.append(f"{len(problems) - 5} more problems")
    return InvalidManifest(
        f"manifest.json: {'; '.join(sentences)}.", fix=f"Known keys: {', '.join(_keys(Manifest))}."
    )


def _sentence(problem: Any) -> str:
    path = tuple(part for part in problem["loc"] if part != "[key]")
    key = ".".join(str(part) for part in path)
    if problem["type"] == "extra_forbidden":
        return f'unknown key "{key}"'
    if problem["type"] == "missing":
        return f'the key "{key}" is missing, expected {_expected(path)}'
    found = f'"{key}" is {_shown(problem["input"])}'
    if problem["type"] == "value_error":
        return f"{found}: {problem['ctx']['error']}"
    return f"{found}, expected {_expected(path)}"


def _expected(path: tuple[int | str, ...]) -> str:
    owner = ImageIO if path[0] == "io" and len(path) > 1 else Manifest
    name = str(path[1] if owner is ImageIO else path[0])
    for field, info in owner.model_fields.items():
        if name in (field, info.alias):
            return info.description or "another value"
    return "another value"


def _keys(owner: type[BaseModel]) -> list[str]:
    return [info.alias or field for field, info in owner.model_fields.items()]


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
