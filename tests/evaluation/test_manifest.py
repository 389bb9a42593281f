"""manifest.json: what is accepted; each refusal names the key, what was found and what was expected."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from evaluation.errors import InvalidArchive, InvalidManifest
from evaluation.manifest import MAX_MANIFEST_BYTES, RUNTIMES, Manifest, parse_manifest

DIGEST = "ab" * 32
PYTHON: dict[str, Any] = {
    "schema": 1,
    "name": "adain-small",
    "version": "1.2.0",
    "format": "python",
    "entry": "model:Model",
    "runtime": RUNTIMES[0],
    "device": "cpu",
    "weights": ["weights.safetensors"],
    "io": {"dtype": "uint8", "layout": "HWC", "max_side": 512, "same_size": True},
    "deterministic": True,
    "license": "MIT",
    "training_data": "COCO, WikiArt",
    "paper": "https://arxiv.org/abs/1703.06868",
    "sha256": {"weights.safetensors": DIGEST},
}
ONNX = PYTHON | {
    "format": "onnx",
    "entry": "net/generator.onnx",
    "weights": ["net/generator.onnx.data"],
    "io": {"dtype": "float32", "layout": "NCHW", "max_side": 256, "same_size": True},
    "sha256": {"net/generator.onnx.data": DIGEST},
}
REQUIRED = ("schema", "name", "version", "format", "entry", "runtime", "io", "license")


def parse(fields: object) -> Manifest:
    return parse_manifest(json.dumps(fields).encode())


def refusal(fields: object) -> str:
    with pytest.raises(InvalidManifest) as refused:
        parse(fields)
    return refused.value.message


@pytest.mark.parametrize("fields", [PYTHON, ONNX], ids=["python", "onnx"])
def test_full_manifest_survives_the_round_trip(fields: dict[str, Any]) -> None:
    manifest = parse(fields)
    assert json.loads(manifest.to_json()).items() >= fields.items()
    assert parse_manifest(manifest.to_json().encode()) == manifest


def test_optional_keys_have_defaults() -> None:
    manifest = parse({key: PYTHON[key] for key in REQUIRED})
    assert (manifest.device, manifest.weights, manifest.deterministic) == ("cpu", (), False)
    assert (manifest.sha256, manifest.paper, manifest.io.same_size) == ({}, "", True)


def test_manifest_is_frozen() -> None:
    with pytest.raises(ValidationError):
        parse(PYTHON).name = "other"


@pytest.mark.parametrize("key", REQUIRED)
def test_missing_key_is_named_with_what_it_should_hold(key: str) -> None:
    message = refusal({name: value for name, value in PYTHON.items() if name != key})
    assert f'the key "{key}" is missing, expected ' in message
    assert "another value" not in message


@pytest.mark.parametrize("key", ["network", "limits", "env", "command", "mounts", "schema_version", "Name"])
def test_unknown_key_is_refused_by_name(key: str) -> None:
    assert f'unknown key "{key}"' in refusal(PYTHON | {key: 1})


def test_unknown_key_inside_io_is_refused_by_name() -> None:
    assert 'unknown key "io.fps"' in refusal(PYTHON | {"io": PYTHON["io"] | {"fps": 1}})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schema": 2}, '"schema" is 2, expected the number 1'),
        ({"schema": True}, '"schema" is true, expected the number 1'),
        ({"schema": "1"}, '"schema" is "1", expected the number 1'),
        ({"name": "Ada In"}, '"name" is "Ada In", expected 1 to 64 lower-case letters'),
        ({"name": "adain\n"}, '"name" is "adain\\n", expected'),
        ({"name": "a" * 65}, "expected 1 to 64 lower-case letters"),
        ({"name": 7}, '"name" is 7, expected'),
        ({"version": ""}, '"version" is "", expected 1 to 32 letters'),
        ({"format": "pt2"}, '"format" is "pt2", expected "python" or "onnx"'),
        ({"entry": "model.py"}, '"entry" is "model.py": expected "module:Class"'),
        ({"entry": "../model:Model"}, 'expected "module:Class"'),
        ({"entry": "os:system('id')"}, 'expected "module:Class"'),
        ({"runtime": "py27"}, '"runtime" is "py27": expected one of py311-torch215'),
        ({"device": "tpu"}, '"device" is "tpu", expected "cpu" or "cuda"'),
        ({"deterministic": "yes"}, '"deterministic" is "yes", expected true or false'),
        ({"deterministic": 1}, '"deterministic" is 1, expected true or false'),
        ({"license": ""}, '"license" is "", expected the license'),
        ({"paper": "javascript:alert(1)"}, '"paper" is "javascript:alert(1)": expected an http or https URL'),
        ({"paper": 'https://x"onclick=1'}, "expected an http or https URL"),
        ({"training_data": 5}, '"training_data" is 5, expected text'),
        ({"weights": "weights.safetensors"}, '"weights" is "weights.safetensors", expected a list'),
        ({"weights": ["w.pt2"]}, "'w.pt2' is no weight file for this format; expected .safetensors or .pth"),
        ({"weights": ["w.pkl"]}, "'w.pkl' is no weight file"),
        ({"weights": ["../w.pth"]}, "the file name '../w.pth' holds an empty, '.' or '..' part"),
        ({"weights": ["/w.pth"]}, "the file name '/w.pth' is an absolute path"),
        ({"weights": ["weights.safetensors"] * 2}, "a file is listed twice"),
        ({"sha256": {}}, "no digest for 'weights.safetensors'"),
        ({"sha256": {"weights.safetensors": "AB" * 32}}, "is not 64 lower-case hexadecimal digits"),
        ({"sha256": {"weights.safetensors": 1}}, '"sha256.weights.safetensors" is 1, expected an object'),
        ({"sha256": PYTHON["sha256"] | {"..": DIGEST}}, "the file name '..' holds"),
        ({"sha256": PYTHON["sha256"] | {"manifest.json": DIGEST}}, "cannot hold its own digest"),
        ({"io": None}, '"io" is null, expected an object'),
        (
            {"io": PYTHON["io"] | {"max_side": 15}},
            '"io.max_side" is 15, expected a whole number from 16 to 4096',
        ),
        ({"io": PYTHON["io"] | {"max_side": 256.5}}, '"io.max_side" is 256.5, expected a whole number'),
        ({"io": PYTHON["io"] | {"same_size": False}}, '"io.same_size" is false, expected true'),
        ({"io": PYTHON["io"] | {"dtype": "float32"}}, 'takes dtype "uint8" and layout "HWC" only'),
    ],
)
def test_wrong_value_is_named_with_what_was_found_and_expected(
    changes: dict[str, Any], expected: str
) -> None:
    assert expected in refusal(PYTHON | changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"entry": "model:Model"}, "holds a colon"),
        ({"entry": "generator.pt"}, "expected the name of a .onnx file"),
        ({"entry": "../generator.onnx"}, "'..' part"),
        ({"weights": ["w.pth"], "sha256": {"w.pth": DIGEST}}, "'w.pth' is no weight file for this format"),
        ({"io": PYTHON["io"]}, 'takes layout "NCHW" only'),
    ],
)
def test_rules_of_the_onnx_format_are_its_own(changes: dict[str, Any], expected: str) -> None:
    assert expected in refusal(ONNX | changes)


def test_long_values_are_cut_in_the_message() -> None:
    assert len(refusal(PYTHON | {"license": "x" * 50_000})) < 250


def test_several_mistakes_are_told_at_once_but_not_all() -> None:
    message = refusal({f"key{i}": i for i in range(20)})
    assert message.count(";") == 5
    assert "23 more problems" in message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b"[]", "found [], expected an object"),
        (b"1", "found 1, expected an object"),
        (b'{"name": "a", "name": "b"}', "the key 'name' occurs twice"),
        (b'{"io": {"dtype": 1, "dtype": 2}}', "the key 'dtype' occurs twice"),
        (b'{"schema": NaN}', "NaN is no JSON number"),
        (b'{"schema": -Infinity}', "-Infinity is no JSON number"),
        (b'{"schema": 1e999}', "the number 1e999 is too large"),
        (b'{"schema": ' + b"9" * 5000 + b"}", "cannot be read"),
        (b'{"a":' * 9 + b"1" + b"}" * 9, "nested deeper than 8 levels"),
        (b"[" * 30_000 + b"]" * 30_000, "nested deeper than 8 levels"),
        (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
        (b'{"name": "\xff"}', "byte 10 is not UTF-8"),
        ("{}".encode("utf-16"), "is not UTF-8"),
        (b'{"name": "\\ud800"}', "half a surrogate pair"),
        (b'{"\\ud800": 1}', "half a surrogate pair"),
        (b'{"name": "a"} {}', "Extra data"),
    ],
)
def test_what_is_no_plain_json_object_is_refused(data: bytes, expected: str) -> None:
    with pytest.raises(InvalidManifest) as refused:
        parse_manifest(data)
    assert expected in refused.value.message
    assert refused.value.fix


def test_manifest_above_64_kib_is_refused_before_it_is_parsed() -> None:
    exact = json.dumps(PYTHON).encode()
    assert parse_manifest(exact + b" " * (MAX_MANIFEST_BYTES - len(exact))).name == "adain-small"
    with pytest.raises(InvalidManifest, match="at most 65536 are allowed"):
        parse_manifest(exact + b" " * (MAX_MANIFEST_BYTES - len(exact) + 1))


def test_invalid_manifest_is_an_invalid_archive_with_its_own_code() -> None:
    with pytest.raises(InvalidArchive) as refused:
        parse({})
    assert (refused.value.code, refused.value.reason) == ("INVALID_MANIFEST", "INVALID_MANIFEST")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(key=st.sampled_from(sorted(PYTHON)), value=JSON)
def test_any_value_under_any_key_is_read_as_it_stands_or_refused(key: str, value: object) -> None:
    fields = PYTHON | {key: value}
    try:
        manifest = parse(fields)
    except InvalidManifest:
        return
    assert json.loads(manifest.to_json())[key] == value


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidManifest):
        parse_manifest(data)
