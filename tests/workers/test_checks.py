"""The system check of a worker's machine: it is silent where the sandbox holds, and says why where it does not."""

import pytest
from django.core.checks import WARNING
from pytest_django import Settings

from tests.workers.sandboxes import sandbox
from workers.checks import check_sandbox

__all__ = ["sandbox"]


@pytest.mark.sandbox
@pytest.mark.usefixtures("sandbox")
def test_a_machine_whose_sandbox_holds_has_nothing_to_say() -> None:
    assert check_sandbox(None) == []


def test_a_sandbox_that_is_missing_is_named_with_what_to_do(settings: Settings) -> None:
    settings.SANDBOX = "docker"
    settings.SANDBOX_IMAGE = "sha256:" + "0" * 64
    settings.SANDBOX_ENGINE = "/nowhere/docker.sock"
    (message,) = check_sandbox(None)
    assert message.level == WARNING
    assert message.id == "pastiche.sandbox"
    assert "would run no stranger's generator" in message.msg
    assert message.hint
