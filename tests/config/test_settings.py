"""Wrong environment variables stop the process naming themselves; addresses are taken apart right."""

import json
import stat
import subprocess
from pathlib import Path

import pytest

from config import env
from tests.config.processes import run


def check(tmp_path: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py check` with a private data folder and the given variables."""
    return run(tmp_path, "manage.py", "check", *options, **variables)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PASTICHE_DEBUG", "perhaps", "expected true or false"),
        ("PASTICHE_LEASE_SECONDS", "soon", "expected a whole number from 6 to 3600"),
        ("PASTICHE_LEASE_SECONDS", "1", "expected a whole number from 6 to 3600"),
        ("PASTICHE_DATABASE_URL", "mysql://localhost/x", "expected postgres://"),
        ("PASTICHE_BROKER_URL", "amqp://localhost", "expected redis://"),
        ("PASTICHE_DATA_DIR", "/proc/nowhere", "cannot be made"),
        ("PASTICHE_LOG_LEVEL", "chatty", "expected DEBUG, INFO"),
        ("PASTICHE_ALLOW_PROCESS_DRIVER", "true", "PASTICHE_DEBUG=true too"),
        ("PASTICHE_LOG_FORMAT", "xml", "expected line or json"),
        ("PASTICHE_METRICS_PORT", "65000", "from 0 to 64000"),
        ("PASTICHE_STORAGE_URL", "gs://bucket", "expected folder, or s3://bucket"),
        ("PASTICHE_STORAGE_URL", "s3://bucket?endpint=http://host", "expected folder, or s3://bucket"),
        ("PASTICHE_STORAGE_URL", "s3://Bucket_", "is no name for a bucket"),
        ("PASTICHE_STORAGE_URL", "s3://bucket?endpoint=host:9000", "is not like https://host:port"),
        ("PASTICHE_STORAGE_URL", "s3://key:secret@bucket", "belong into PASTICHE_STORAGE_KEY"),
        ("PASTICHE_EMAIL_URL", "mail.example.org:587", "expected smtp://"),
        ("PASTICHE_EMAIL_URL", "smtp://user@", "expected smtp://"),
        ("PASTICHE_STORAGE_KEY", "alone", "set PASTICHE_STORAGE_KEY and PASTICHE_STORAGE_SECRET, or neither"),
    ],
)
def test_a_wrong_variable_stops_the_process_and_is_named(
    tmp_path: Path, name: str, value: str, expected: str
) -> None:
    done = check(tmp_path, **{"PASTICHE_STORAGE_URL": "s3://bucket", name: value})
    assert done.returncode != 0
    assert name in done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_beside_a_database_server_the_web_needs_a_secret_key_and_workers_need_none(tmp_path: Path) -> None:
    variables = {"PASTICHE_DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}
    assert check(tmp_path, **variables).returncode == 0
    done = check(tmp_path, "--deploy", **variables)
    assert done.returncode != 0
    assert "PASTICHE_SECRET_KEY is not set" in done.stderr
    assert not (tmp_path / "data" / "secret_key").exists()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://some.bucket", {"bucket_name": "some.bucket", "location": "", "addressing_style": "auto"}),
        (
            "s3://bucket/a/prefix/?endpoint=http://127.0.0.1:9000&region=here",
            {
                "bucket_name": "bucket",
                "location": "a/prefix",
                "endpoint_url": "http://127.0.0.1:9000",
                "region_name": "here",
                "addressing_style": "path",
            },
        ),
    ],
)
def test_an_address_of_a_bucket_is_taken_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str, expected: dict[str, str]
) -> None:
    for name, value in {"URL": address, "KEY": "somebody", "SECRET": "hush"}.items():
        monkeypatch.setenv(f"PASTICHE_STORAGE_{name}", value)
    names = {"key": "PASTICHE_STORAGE_KEY", "secret": "PASTICHE_STORAGE_SECRET"}
    read = env.read_storage("PASTICHE_STORAGE_URL", tmp_path, **names)
    options = read["OPTIONS"]
    assert isinstance(options, dict)
    assert {name: options[name] for name in expected} == expected
    assert (options["access_key"], options["secret_key"]) == ("somebody", "hush")


def test_without_a_key_of_ours_the_usual_places_are_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PASTICHE_STORAGE_URL", "s3://bucket")
    read = env.read_storage("PASTICHE_STORAGE_URL", tmp_path, key="PASTICHE_NONE", secret="PASTICHE_NONE")
    assert not {"access_key", "secret_key", "security_token"} & set(read["OPTIONS"])


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("", ("", 25, "", "", False, False)),
        ("smtp://u%40x:p%2Fw@mail.example.org", ("mail.example.org", 587, "u@x", "p/w", True, False)),
        ("smtps://mail.example.org:4650", ("mail.example.org", 4650, "", "", False, True)),
        ("smtp+plain://127.0.0.1", ("127.0.0.1", 25, "", "", False, False)),
    ],
)
def test_an_address_of_a_mail_server_is_taken_apart(
    monkeypatch: pytest.MonkeyPatch, address: str, expected: tuple[object, ...]
) -> None:
    monkeypatch.setenv("PASTICHE_EMAIL_URL", address)
    assert env.read_mail("PASTICHE_EMAIL_URL") == expected


def test_the_generated_secret_key_is_private_and_stays(tmp_path: Path) -> None:
    assert check(tmp_path).returncode == 0
    path = tmp_path / "data" / "secret_key"
    first = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) >= 50
    assert check(tmp_path).returncode == 0
    assert path.read_text() == first


def test_a_database_server_that_vanishes_is_noticed_within_a_lease(tmp_path: Path) -> None:
    code = (
        "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'; django.setup();"
        "from django.db import connection; import json; print(json.dumps(connection.settings_dict['OPTIONS']))"
    )
    address = "postgres://nobody@127.0.0.1:1/none?sslmode=require&connect_timeout=3"
    options = json.loads(run(tmp_path, "-c", code, PASTICHE_DATABASE_URL=address).stdout)
    assert options["sslmode"] == "require"
    assert int(options["connect_timeout"]) == 3
    assert options["tcp_user_timeout"] / 1000 < 60
