"""What the script that sends archives in parts tells its reader, in the reader's language."""

import json

from django.utils.translation import gettext as _

from competitions import errors
from frontend.explain import explain

REFUSALS: tuple[type[errors.CompetitionError], ...] = (
    errors.InvalidInput,
    errors.NotAllowed,
    errors.NotFound,
    errors.PartConflict,
    errors.PartRefused,
    errors.RefusedArchive,
    errors.UploadClosed,
    errors.UploadIncomplete,
    errors.UploadMismatch,
    errors.UploadQuotaExceeded,
    errors.UploadTooLarge,
)


def upload_texts() -> str:
    """Return the sentences of the script, in JSON; `codes` are what the server may refuse -> sentence and advice."""
    told = [explain(kind()) for kind in REFUSALS]
    texts = {
        "reading": _("Reading the file …"),
        "sending": _("{n} of {m} MB have arrived. You may leave this page: the same file goes on from here."),
        "checking": _("All has arrived; the archive is being checked …"),
        "waiting": _("The line is broken. Next try in {n} s; nothing that has arrived is lost."),
        "failed": _("The file could not be read or sent. Reload the page and choose it again."),
        "codes": {one.code: [one.sentence, one.fix] for one in told},
    }
    return json.dumps(texts, ensure_ascii=False)
