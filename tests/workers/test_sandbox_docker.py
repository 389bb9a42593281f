"""The docker driver without an engine: the command line, what must have come of it, and every refusal."""

import copy
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from evaluation.errors import SandboxUnavailable
from evaluation.generation.driver import Limits
from tests.workers.engines import DOCUMENTS, IMAGE, engine
from workers.sandbox import docker
from workers.sandbox.arguments import BUNDLE, RUNNER, Bind
from workers.sandbox.container import Container, find_differences, run_arguments
from workers.sandbox.docker import DockerDriver
from workers.sandbox.seccomp import build_profile, digest

BINDS = (Bind(Path("/stage/runner.py"), RUNNER), Bind(Path("/stage/bundle"), BUNDLE))
ASKED = Container(
    name="pastiche-1-abc",
    label="pastiche=host",
    image=IMAGE,
    runtime="runc",
    uid=61003,
    limits=Limits(),
    binds=BINDS,
    environment={"HOME": "/tmp"},
    profile=build_profile(),
)


def arguments(**changes: Any) -> list[str]:
    asked = dataclasses.replace(ASKED, **changes)
    return run_arguments(asked, "/var/run/docker.sock", "/proc/self/fd/9", ["-I", "runner.py"])


def found(**changes: object) -> dict[str, Any]:
    """Describe the container as an engine does; a change names its field by the last part of its path."""
    document = {
        "Id": "f" * 64,
        "Image": IMAGE,
        "State": {"Pid": 1, "OOMKilled": False},
        "Config": {"User": "61003:61003"},
        "Mounts": [
            {"Type": "bind", "Source": str(bind.source), "Destination": str(bind.inside), "RW": False}
            for bind in BINDS
        ],
        "HostConfig": {
            "Runtime": "runc",
            "NetworkMode": "none",
            "ReadonlyRootfs": True,
            "Privileged": False,
            "CapAdd": None,
            "CapDrop": ["ALL"],
            "Memory": 4096 << 20,
            "MemorySwap": 4096 << 20,
            "PidsLimit": 128,
            "NanoCpus": 2 * 10**9,
            "OomKillDisable": False,
            "ShmSize": 64 << 20,
            "Tmpfs": {"/tmp": "rw,nosuid,nodev,size=256m,mode=1777"},
            "IpcMode": "private",
            "PidMode": "",
            "UTSMode": "",
            "UsernsMode": "",
            "Devices": [],
            "DeviceRequests": None,
            "LogConfig": {"Type": "none", "Config": {}},
            "SecurityOpt": ["no-new-privileges", f"seccomp={ASKED.profile.decode()}"],
            "Ulimits": [
                {"Name": name, "Soft": value, "Hard": value} for name, value in ASKED.ulimits.items()
            ],
        },
    }
    for name, value in changes.items():
        place = document["HostConfig"] if name in document["HostConfig"] else document  # type: ignore[operator]
        place[name] = value  # type: ignore[index]
    return copy.deepcopy(document)


def test_the_command_line_is_strict() -> None:
    made = arguments()
    assert made[:3] == ["--host=unix:///var/run/docker.sock", "--config=/nonexistent", "run"]
    wanted = {
        "--interactive",
        "--pull=never",
        "--runtime=runc",
        "--network=none",
        "--read-only",
        "--user=61003:61003",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--security-opt=seccomp=/proc/self/fd/9",
        "--memory=4096m",
        "--memory-swap=4096m",
        "--pids-limit=128",
        "--cpus=2",
        "--ulimit=fsize=67108864",
        "--ulimit=nofile=256",
        "--ulimit=core=0",
        "--tmpfs=/tmp:rw,nosuid,nodev,size=256m,mode=1777",
        "--shm-size=64m",
        "--ipc=private",
        "--log-driver=none",
        "--no-healthcheck",
        "--name=pastiche-1-abc",
        "--entrypoint=python3",
        "--mount=type=bind,src=/stage/bundle,dst=/bundle,readonly",
    }
    assert wanted <= set(made)
    assert made[-3:] == [IMAGE, "-I", "runner.py"]
    assert [option for option in made if option.startswith("--env=")] == ["--env=HOME=/tmp"]
    assert not {"--privileged", "--cap-add", "--volume", "--device", "--pid", "--userns"} & {
        option.split("=")[0] for option in made
    }


def test_one_gpu_is_shown_and_no_other() -> None:
    assert not [option for option in arguments() if option.startswith("--gpus")]
    assert "--gpus=device=3" in arguments(gpu=3)
    request = [{"Driver": "", "Count": 0, "DeviceIDs": ["3"], "Capabilities": [["gpu"]], "Options": {}}]
    with_gpu = dataclasses.replace(ASKED, gpu=3)
    assert find_differences(with_gpu, found(DeviceRequests=request)) == []
    assert find_differences(with_gpu, found()) == ["the GPUs are []"]
    assert find_differences(ASKED, found(DeviceRequests=request)) == ["the GPUs are [['3']]"]


def test_gvisor_gets_room_for_processes_of_its_own() -> None:
    assert "--pids-limit=640" in arguments(runtime="runsc")


@pytest.mark.parametrize("path", ["/stage/a,readonly=false", '/stage/"a"'])
def test_a_path_that_would_become_an_option_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be shown"):
        arguments(binds=[Bind(Path(path), BUNDLE)])


def test_a_container_that_is_what_was_asked_for_has_no_differences() -> None:
    assert find_differences(ASKED, found()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"Runtime": "runsc"},
        {"NetworkMode": "default"},
        {"ReadonlyRootfs": False},
        {"Privileged": True},
        {"CapAdd": ["SYS_ADMIN"]},
        {"CapDrop": None},
        {"Memory": 0},
        {"MemorySwap": -1},
        {"PidsLimit": None},
        {"NanoCpus": 0},
        {"OomKillDisable": True},
        {"Tmpfs": None},
        {"IpcMode": "host"},
        {"PidMode": "host"},
        {"UTSMode": "host"},
        {"UsernsMode": "host"},
        {"Devices": [{"PathOnHost": "/dev/sda"}]},
        {"LogConfig": {"Type": "json-file"}},
        {"Image": "sha256:" + "b" * 64},
        {"Config": {"User": ""}},
        {"Mounts": []},
        {
            "Mounts": [
                *found()["Mounts"],
                {"Type": "volume", "Source": "/", "Destination": "/host", "RW": True},
            ]
        },
        {"Mounts": [row | {"RW": True} for row in found()["Mounts"]]},
        {"Ulimits": []},
        {"SecurityOpt": None},
        {"SecurityOpt": ["no-new-privileges", "seccomp=unconfined"]},
        {"SecurityOpt": ["no-new-privileges", "seccomp={}"]},
        {"SecurityOpt": [f"seccomp={ASKED.profile.decode()}"]},
    ],
    ids=lambda changes: f"{next(iter(changes))} {str(next(iter(changes.values())))[:30]}",
)
def test_every_difference_is_found(changes: dict[str, object]) -> None:
    assert find_differences(ASKED, found(**changes))


def test_an_answer_of_another_form_is_full_of_differences() -> None:
    assert len(find_differences(ASKED, {"HostConfig": []})) > 10
    assert len(find_differences(ASKED, None)) > 10


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that is called docker; these tests do not start it."""
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(docker, "PATH", str(tmp_path))
    return program


@pytest.mark.usefixtures("client")
def test_what_was_found_out_is_told(tmp_path: Path) -> None:
    with engine(tmp_path) as (address, asked):
        driver = DockerDriver(image=IMAGE, address=address, gpu=2)
    assert driver.is_sandbox
    assert driver.describe() == {
        "driver": "docker",
        "version": "27.0.1",
        "mode": "runsc",
        "image": IMAGE,
        "filter": digest(build_profile(gpu=True)),
        "device": "cuda, GPU 2",
        "memory": "engine",
        "pids": "engine",
        "cpu": "engine",
        "freezer": "engine",
    }
    assert driver.surroundings.has_own_kernel
    assert driver.surroundings.variables == {"HOSTNAME", "PATH", "LANG"}
    assert not [request for request in asked if request.startswith("POST")]


def refused(tmp_path: Path, changes: dict[str, Any], **options: Any) -> SandboxUnavailable:
    with engine(tmp_path, changes) as (address, _), pytest.raises(SandboxUnavailable) as caught:
        DockerDriver(**{"image": IMAGE, "address": address} | options)
    assert caught.value.fix
    return caught.value


def without(name: str) -> dict[str, Any]:
    return {"GET /info": DOCUMENTS["GET /info"] | {name: False}}


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    ("changes", "options", "says"),
    [
        ({}, {"image": "pastiche-sandbox:latest"}, "not named by its digest"),
        ({}, {"image": ""}, "not named by its digest"),
        ({}, {"image": f"evil {IMAGE}"}, "not named by its digest"),
        ({}, {"image": "sha256:" + "c" * 64}, "does not have the image"),
        ({}, {"runtime": "kata"}, "no runtime kata"),
        ({"GET /info": DOCUMENTS["GET /info"] | {"Runtimes": {"runc": {}}}}, {}, "no runtime runsc"),
        (without("MemoryLimit"), {}, "cannot keep limits: MemoryLimit"),
        (without("SwapLimit"), {}, "cannot keep limits: SwapLimit"),
        (without("PidsLimit"), {}, "cannot keep limits: PidsLimit"),
        (without("CpuCfsQuota"), {}, "cannot keep limits: CpuCfsQuota"),
        (without("SecurityOptions"), {}, "cannot filter system calls"),
        ({"GET /version": {"Version": "20.10.24", "ApiVersion": "1.41"}}, {}, "too old"),
        ({"GET /version": {}}, {}, "too old"),
        ({"GET /info": None}, {}, "The engine refuses"),
    ],
)
def test_a_missing_part_refuses_and_says_what_to_do(
    tmp_path: Path, changes: dict[str, Any], options: dict[str, Any], says: str
) -> None:
    assert says in str(refused(tmp_path, changes, **options))


@pytest.mark.usefixtures("client")
def test_an_engine_that_does_not_answer_is_no_sandbox(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="gives no answer"):
        DockerDriver(image=IMAGE, address=tmp_path / "nobody.sock")


def test_a_missing_client_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "PATH", str(tmp_path))
    assert "docker is not installed" in str(refused(tmp_path, {}))


@pytest.mark.usefixtures("client")
def test_containers_of_workers_that_are_gone_are_removed_and_others_stay(tmp_path: Path) -> None:
    names = ["pastiche-999999999-aa", f"pastiche-{os.getpid()}-bb", "somebody-elses"]
    with engine(tmp_path, {"GET /containers/json": [{"Names": [f"/{name}"]} for name in names]}) as served:
        DockerDriver(image=IMAGE, address=served[0])
    removed = [request for request in served[1] if request.startswith("DELETE")]
    assert removed == ["DELETE /containers/pastiche-999999999-aa?force=true&v=true"]


def test_the_profile_is_the_allowlist() -> None:
    profile = json.loads(build_profile())
    assert (profile["defaultAction"], profile["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 38)
    assert len(profile["architectures"]) == 1
    assert {row["action"] for row in profile["syscalls"]} == {"SCMP_ACT_ALLOW"}
    conditional = {name for row in profile["syscalls"] if "args" in row for name in row["names"]}
    assert conditional == {"clone", "ioctl", "socket", "socketpair"}
    always = {name for row in profile["syscalls"] if "args" not in row for name in row["names"]}
    assert not conditional & always
