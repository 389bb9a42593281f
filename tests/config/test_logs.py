"""Log lines: with the run they belong to, for people or machines, and without any secret in them."""

import contextlib
import io
import json
import logging
import logging.config
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from django.conf import settings

from competitions.run_log import log_run
from config import logs
from tests.config.processes import SCHEDULER, WEB, run, running, until
from tests.servers import free_port

SECRET = 'a "quoted" \\ secret/ü'
RUN = "0c6a5f2e-6b5c-4c39-9d39-3f0d6a1f1d11"
Log = Callable[[str], tuple[logging.Logger, io.StringIO]]


@pytest.fixture
def log() -> Iterator[Log]:
    """Return a function that makes a logger whose lines have a form, and where they go."""
    made: list[logging.Logger] = []

    def make(form: str) -> tuple[logging.Logger, io.StringIO]:
        chosen = logs.configuration("INFO", form, secrets=[SECRET, "abc"], has_access_log=False)
        stream = io.StringIO()
        chosen["handlers"]["stderr"]["stream"] = stream
        chosen["loggers"] = {f"test-{form}": {"handlers": ["stderr"], "propagate": False, "level": "INFO"}}
        chosen["root"] = {}
        chosen["incremental"] = False
        logging.config.dictConfig(chosen)
        made.append(logging.getLogger(f"test-{form}"))
        return made[-1], stream

    yield make
    for logger in made:
        logger.handlers.clear()


def only(stream: io.StringIO) -> dict[str, Any]:
    """Parse the one line that was written."""
    (line,) = stream.getvalue().splitlines()
    return dict(json.loads(line))


def test_a_line_for_machines_has_its_parts(log: Log) -> None:
    logger, stream = log("json")
    logger.warning("the disk has %s MB", 5, extra={"free_mb": 5})
    found = only(stream)
    assert found["level"] == "WARNING"
    assert found["logger"] == "test-json"
    assert found["message"] == "the disk has 5 MB"
    assert found["free_mb"] == 5
    assert found["time"].endswith("+00:00")
    assert isinstance(found["process"], int)
    assert "run" not in found


def test_lines_within_a_run_name_it_and_others_do_not(log: Log) -> None:
    for form in ("line", "json"):
        logger, stream = log(form)
        with log_run(RUN):
            logger.info("inside")
            thread = threading.Thread(target=logger.info, args=("beside",))
            thread.start()
            thread.join()
        logger.info("after")
        inside, beside, after = stream.getvalue().splitlines()
        assert RUN in inside
        assert RUN not in beside + after
        if form == "json":
            assert json.loads(inside)["run"] == RUN
        else:
            assert inside.endswith(f"INFO test-line: run {RUN}: inside")


def test_the_run_of_an_outer_block_counts_again_after_an_inner_one(log: Log) -> None:
    logger, stream = log("json")
    with log_run(RUN):
        with pytest.raises(ValueError, match="x"), log_run("another"):
            raise ValueError("x")
        logger.info("outer")
    assert only(stream)["run"] == RUN


@pytest.mark.parametrize("form", ["line", "json"])
@pytest.mark.parametrize(
    "quoted", [SECRET, repr(SECRET)[1:-1], quote(SECRET, safe=""), json.dumps(SECRET)[1:-1]]
)
def test_secrets_are_hidden_however_they_are_quoted(log: Log, form: str, quoted: str) -> None:
    logger, stream = log(form)
    logger.info("connecting to redis://:%s@host, abc", quoted, extra={"details": {"password": quoted}})
    try:
        raise RuntimeError(f"cannot connect with {quoted}")
    except RuntimeError:
        logger.exception("it failed")
    text = stream.getvalue()
    assert quoted not in text
    assert json.dumps(quoted)[1:-1] not in text
    assert logs.HIDDEN in text
    assert "@host, abc" in text  # too short to be looked for
    if form == "json":
        for line in text.splitlines():
            json.loads(line)


def test_what_proves_a_right_is_hidden_too(log: Log) -> None:
    logger, stream = log("json")
    link = "https://host/file?X-Amz-Credential=AKIA%2F1&X-Amz-Expires=60&X-Amz-Signature=0a1b2c"
    logger.info("GET %s with Authorization: Bearer abc.def", link)
    message = only(stream)["message"]
    assert "AKIA" not in message
    assert "0a1b2c" not in message
    assert "abc.def" not in message
    assert "X-Amz-Expires=60" in message


def test_a_line_break_in_a_message_makes_no_second_line(log: Log) -> None:
    logger, stream = log("line")
    logger.info("archive %s", "a.zip\n2026-01-01 00:00:00,000 INFO root: all is well")
    assert len(stream.getvalue().splitlines()) == 1


def test_a_traceback_keeps_its_lines_for_people_and_is_one_for_machines(log: Log) -> None:
    for form, n_lines in (("line", 4), ("json", 1)):
        logger, stream = log(form)
        try:
            raise RuntimeError("broken")
        except RuntimeError:
            logger.exception("it failed")
        assert len(stream.getvalue().splitlines()) >= n_lines
        if form == "json":
            assert "RuntimeError: broken" in only(stream)["traceback"]


def test_the_settings_know_the_secrets_of_this_installation(tmp_path: Path) -> None:
    variables = {
        "PASTICHE_DATABASE_URL": "postgres://somebody:p%40ssword1@127.0.0.1:1/none",
        "PASTICHE_BROKER_URL": "redis://:br%2Foker1@127.0.0.1:1/0",
        "PASTICHE_STORAGE_URL": "s3://some-bucket",
        "PASTICHE_STORAGE_KEY": "somebody",
        "PASTICHE_STORAGE_SECRET": "storagesecret",
        "PASTICHE_SECRET_KEY": "secretkeysecretkey",
        "PASTICHE_METRICS_TOKEN": "metricstoken",
        "AWS_SESSION_TOKEN": "sessiontoken",
        "AWS_SECRET_ACCESS_KEY": "accesskey",
    }
    code = "from config import settings; print('\\n'.join(settings.SECRETS))"
    known = run(tmp_path, "-c", code, **variables).stdout.split()
    plain = {"p@ssword1", "br/oker1", *list(variables.values())[4:]}
    assert plain | {"p%40ssword1", "br%2Foker1"} == set(known)


def test_links_and_requests_of_the_object_storage_are_not_logged_at_any_level() -> None:
    loggers = logs.configuration("DEBUG", "line", secrets=[], has_access_log=False)["loggers"]
    assert {loggers[name]["level"] for name in ("botocore", "boto3", "urllib3", "s3transfer")} == {"WARNING"}
    assert settings.LOGGING["root"]["level"] == "INFO"


def test_every_line_of_the_web_server_is_an_object(migrated: Path) -> None:
    port = free_port()
    words = [word.replace(":0", f":{port}") for word in WEB]

    def answers() -> bool:
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"http://127.0.0.1:{port}/healthz?password=hush", timeout=5).ok
        return False

    with running(migrated, *words, PASTICHE_LOG_FORMAT="json", PASTICHE_ACCESS_LOG="true") as log:
        until(answers, log)
        until(lambda: b"GET /healthz" in log.read_bytes(), log)  # the line comes after the answer
    lines = [json.loads(line)["message"] for line in log.read_text().splitlines()]
    assert any('"GET /healthz" 200' in line for line in lines)
    assert not any("hush" in line for line in lines)


def test_every_line_of_the_scheduler_is_an_object(migrated: Path) -> None:
    with running(migrated, *SCHEDULER, PASTICHE_LOG_FORMAT="json") as log:
        until(lambda: b" ready." in log.read_bytes(), log)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["level"] for line in lines} == {"INFO"}
