"""Which sandbox a worker uses is a setting: a wrong one stops the process, and none stands in for another."""

from pathlib import Path

import pytest
from pytest_django import Settings

from tests.config.processes import run
from tests.workers.sandboxes import SLOT, sandbox
from workers.drivers import choose_drivers

__all__ = ["sandbox"]


@pytest.mark.parametrize(
    ("variables", "named", "expected"),
    [
        ({"PASTICHE_SANDBOX": "podman"}, "PASTICHE_SANDBOX", "expected bubblewrap or docker"),
        ({"PASTICHE_SANDBOX": "docker"}, "PASTICHE_SANDBOX_IMAGE", "needs an image"),
        ({"PASTICHE_SANDBOX_RUNTIME": "kata"}, "PASTICHE_SANDBOX_RUNTIME", "expected runsc or runc"),
    ],
)
def test_a_wrong_setting_stops_the_process_and_is_named(
    tmp_path: Path, variables: dict[str, str], named: str, expected: str
) -> None:
    done = run(tmp_path, "manage.py", "check", **variables)
    assert done.returncode != 0
    assert named in done.stderr
    assert expected in done.stderr


@pytest.mark.sandbox
@pytest.mark.usefixtures("sandbox")
def test_where_the_sandbox_of_the_settings_is_missing_a_working_one_is_not_taken_instead(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    assert choose_drivers(SLOT).sandbox is not None
    settings.SANDBOX = "docker"
    settings.SANDBOX_IMAGE = "sha256:" + "0" * 64
    settings.SANDBOX_ENGINE = "/nowhere/docker.sock"
    drivers = choose_drivers(SLOT)
    assert drivers.sandbox is None
    assert drivers.reason
    assert drivers.advice
    assert "no sandbox, so no untrusted generators" in caplog.text


def test_a_worker_of_a_gpu_hands_the_device_on(settings: Settings) -> None:
    assert choose_drivers(SLOT, gpu=3).process.describe()["device"] == "cuda:3"
