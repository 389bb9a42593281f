"""The scheduler's sweep clears away what has expired: uploads with their parts, and keys of old requests."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.models import User
from competitions.models import IdempotencyKey, Upload
from competitions.services import idempotency
from competitions.services.uploads import Part, UploadPlan, put_part, start_upload
from tests.conftest import manifest_of
from workers.tasks import sweep

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
X = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


@pytest.mark.django_db
def test_the_sweep_clears_what_has_expired_and_nothing_else(researcher: User) -> None:
    kept, old = (
        start_upload(user=researcher, plan=UploadPlan("archive", 1, X, manifest_of("identity")))
        for _ in range(2)
    )
    for upload in (kept, old):
        put_part(upload_id=upload.pk, user=researcher, part=Part(0, b"x", X))
    for key in ("kept", "old"):
        idempotency.begin(user=researcher, key=key, fingerprint=EMPTY)
    Upload.objects.filter(pk=old.pk).update(expires_at=timezone.now() - timedelta(hours=2))
    IdempotencyKey.objects.filter(key="old").update(created_at=timezone.now() - timedelta(hours=25))
    sweep()
    assert list(Upload.objects.all()) == [kept]
    assert default_storage.listdir("uploads")[0] == [str(kept.pk)]
    assert IdempotencyKey.objects.get().key == "kept"
