"""A throw-away object storage that speaks S3, on a free loopback port; it checks who asks."""

import contextlib
import functools
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import requests

from tests.servers import free_port

START_SECONDS = 30
REGION = "us-east-1"
BUCKET = "pastiche-tests"


@dataclass(frozen=True)
class ObjectStorage:
    """Where it listens, and a key that may do everything."""

    endpoint: str
    key: str
    secret: str

    @property
    def url(self) -> str:
        """Return the setting for its bucket."""
        return f"s3://{BUCKET}?endpoint={self.endpoint}&region={REGION}"

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment variables of a process that uses the bucket."""
        return {
            "PASTICHE_STORAGE_URL": self.url,
            "PASTICHE_STORAGE_KEY": self.key,
            "PASTICHE_STORAGE_SECRET": self.secret,
        }

    def options(self, **changes: object) -> dict[str, Any]:
        """Return the options of the storage class."""
        return {
            "bucket_name": BUCKET,
            "endpoint_url": self.endpoint,
            "region_name": REGION,
            "addressing_style": "path",
            "access_key": self.key,
            "secret_key": self.secret,
            "security_token": None,
        } | changes

    @functools.cache  # noqa: B019
    def client(self, service: str = "s3") -> Any:
        """Return a client of one of its services; making one takes long."""
        session = boto3.Session(self.key, self.secret)
        return session.client(service, endpoint_url=self.endpoint, region_name=REGION)

    def check_callers(self, *, are_checked: bool) -> None:
        """Look at keys and signatures of requests or not: it cannot look at those of signed links."""
        requests.post(f"{self.endpoint}/moto-api/reset-auth", data=b"0" if are_checked else b"inf", timeout=5)


@contextlib.contextmanager
def object_storage() -> Iterator[ObjectStorage]:
    """Run the server with one private bucket and one user."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _until_answers(port)
        first = ObjectStorage(f"http://127.0.0.1:{port}", "first", "first")
        first.client().create_bucket(Bucket=BUCKET)
        made = ObjectStorage(first.endpoint, *_make_user(first))
        made.check_callers(are_checked=True)
        yield made
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def _make_user(storage: ObjectStorage) -> tuple[str, str]:
    people = storage.client("iam")
    people.create_user(UserName="pastiche")
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    people.put_user_policy(UserName="pastiche", PolicyName="all", PolicyDocument=document)
    made = people.create_access_key(UserName="pastiche")["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


def _until_answers(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the object storage did not come up")
        time.sleep(0.1)
