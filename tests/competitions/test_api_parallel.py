"""Many uploads at one instant: the last slot of a quota is given once. Needs a database server."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import issue_token
from competitions.models import Artifact, Phase, QuotaEntry, Run, Submission
from tests.api_fixtures import API

N_UPLOADS = 20

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _database_server(db: None) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite takes one writer at a time")


def test_of_many_uploads_at_the_last_slot_one_is_taken(
    phase: Phase, researcher: User, make_archive: Callable[..., Path]
) -> None:
    Phase.objects.update(runs_per_day=1)
    n_images = Artifact.objects.count()
    _, key = issue_token(user=researcher, name="parallel")
    archives = [make_archive(f"try-{n}").read_bytes() for n in range(N_UPLOADS)]
    start = Barrier(N_UPLOADS)

    def upload(content: bytes) -> tuple[int, str]:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
        file = io.BytesIO(content)
        file.name = "archive.zip"
        try:
            start.wait(timeout=30)
            answer = client.post(f"{API}/submissions/", {"archive": file, "competition": "small"})
            return answer.status_code, answer.json().get("error", {}).get("code", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(N_UPLOADS) as pool:
        answers = sorted(pool.map(upload, archives))
    assert answers == [(201, "")] + [(429, "QUOTA_EXCEEDED")] * (N_UPLOADS - 1)
    assert (Submission.objects.count(), Run.objects.count(), QuotaEntry.objects.count()) == (1, 1, 1)
    assert Artifact.objects.count() == n_images + 1
