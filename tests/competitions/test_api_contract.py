"""The OpenAPI document: the one that is served is the one that is kept, and it says what the code does."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from rest_framework.test import APIClient

from competitions.api import requests
from competitions.api.documents import SWAGGER_STYLE, document
from competitions.api.webhooks import NewWebhook, WebhookChange
from evaluation.manifest import parse_manifest
from tests.api_fixtures import API

KEPT = Path(__file__).resolve().parents[2] / "docs" / "api" / "openapi.yaml"
METHODS = ("get", "post", "put", "patch", "delete")
SHAPES = {
    "createToken": requests.NewToken,
    "createSubmission": requests.NewSubmissionOfUpload,
    "createUpload": requests.NewUpload,
    "disqualifySubmission": requests.Reason,
    "rescorePhase": requests.NewSuite,
    "cancelRun": requests.Remark,
    "createWebhook": NewWebhook,
    "changeWebhook": WebhookChange,
    "importCompetition": requests.UploadedFile,
    "diffCompetition": requests.FileText,
    "pushDataset": requests.UploadedFile,
    "publishCompetition": requests.Remark,
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield address, method and description of every operation."""
    for path, found in document()["paths"].items():
        for method in METHODS:
            if method in found:
                yield path, method, found[method]


OPERATIONS = list(operations())


@pytest.mark.django_db
def test_what_is_served_is_what_is_kept(anonymous: APIClient) -> None:
    served = yaml.safe_load(anonymous.get(f"{API}/schema/").content)
    kept = yaml.safe_load(KEPT.read_text(encoding="utf-8"))
    assert served == kept, "the API has changed: `manage.py spectacular --file docs/api/openapi.yaml`"


@pytest.mark.django_db
def test_the_document_comes_as_yaml_and_json(anonymous: APIClient) -> None:
    for accept, read in (
        ("application/vnd.oai.openapi", yaml.safe_load),
        ("application/vnd.oai.openapi+json", json.loads),
        ("application/json", json.loads),
    ):
        answer = anonymous.get(f"{API}/schema/", headers={"Accept": accept})
        assert read(answer.content)["openapi"].startswith("3."), accept


@pytest.mark.django_db
def test_the_page_that_shows_the_document_needs_no_other_site(anonymous: APIClient) -> None:
    answer = anonymous.get(f"{API}/docs/")
    text = answer.content.decode()
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"].split("; ")  # in any order
    assert "<script>" not in text
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in SWAGGER_STYLE
    found = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in found
    for address in found:
        assert address.startswith(("/static/", f"{API}/docs/?script=")), address
        file = anonymous.get(address)
        assert file.status_code == 200, address
        file.close()
    assert re.findall(r"https?://[^'\"\s]+", text) == []


def test_every_operation_has_a_name_of_its_own_and_a_sentence() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names) > 40
    for path, method, operation in OPERATIONS:
        assert operation["description"].endswith("."), (method, path)


def test_every_body_has_an_example() -> None:
    for path, method, operation in OPERATIONS:
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            assert content["examples"], (method, path, media_type)


def test_the_examples_are_taken() -> None:
    shown = {operation["operationId"]: operation["requestBody"]["content"] for _, _, operation in OPERATIONS
             if "requestBody" in operation}  # fmt: skip
    assert set(SHAPES) == set(shown) - {"putUploadPart"}
    for name, shape in SHAPES.items():
        example = shown[name]["application/json"]["examples"]["Example"]["value"]
        assert shape(data=example).is_valid(raise_exception=True)
    form = QueryDict(mutable=True)
    form.update(shown["createSubmission"]["multipart/form-data"]["examples"]["Example"]["value"])
    form["archive"] = SimpleUploadedFile("generator.zip", b"bytes")
    assert requests.NewSubmission(data=form).is_valid(raise_exception=True)
    manifest = shown["createUpload"]["application/json"]["examples"]["Example"]["value"]["manifest"]
    parse_manifest(json.dumps(manifest).encode())


def test_every_body_is_closed_and_every_refusal_has_the_one_shape() -> None:
    schemas = document()["components"]["schemas"]
    for path, method, operation in OPERATIONS:
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if reference := content["schema"].get("$ref"):
                assert schemas[reference.split("/")[-1]]["additionalProperties"] is False, (path, media_type)
        for status, answer in operation["responses"].items():
            if status >= "400":
                shape = answer["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/Error"}, (method, path, status)
        assert {"400", "401", "406", "429"} <= set(operation["responses"])
        assert not {"default", "500"} & set(operation["responses"])


def test_every_list_has_cursors() -> None:
    for path, _, operation in OPERATIONS:
        if operation["operationId"].startswith("list"):
            assert {"cursor", "limit"} <= {parameter["name"] for parameter in operation["parameters"]}, path


def test_what_makes_something_takes_a_key() -> None:
    keyed = {
        operation["operationId"]
        for _, _, operation in OPERATIONS
        if any(found["name"] == "Idempotency-Key" for found in operation.get("parameters", ()))
    }
    made = {operation["operationId"] for _, _, operation in OPERATIONS if "201" in operation["responses"]}
    # The answer to `createToken` is never stored: it holds the key.
    decided = {"rescorePhase", "importCompetition", "pushDataset", "publishCompetition", "chooseFinal"}
    assert keyed == (made - {"createToken"}) | decided
