"""Every error that the domain raises on purpose; code, message and fix are safe to show."""

from collections.abc import Mapping
from datetime import datetime


class CompetitionError(Exception):
    """The request cannot be carried out."""

    code = "COMPETITION_ERROR"
    fix = ""

    def __init__(self, message: str = "", *, fix: str = "", fields: Mapping[str, str] | None = None) -> None:
        """Keep the message (default: the class docstring), what to do about it, and the fields concerned."""
        self.message = message or " ".join((self.__doc__ or "").split())
        self.fix = fix or self.fix
        self.fields = dict(fields or {})
        super().__init__(self.message)


class NotFound(CompetitionError):
    """There is no such thing, or you may not see it."""

    code = "NOT_FOUND"


class NotAllowed(CompetitionError):
    """You may not do this."""

    code = "NOT_ALLOWED"


class PhaseClosed(CompetitionError):
    """No phase of this competition takes submissions now."""

    code = "PHASE_CLOSED"
    fix = "The dates of all phases stand on the competition page."


class QuotaExceeded(CompetitionError):
    """The team has used up its runs."""

    code = "QUOTA_EXCEEDED"
    retry_at: datetime | None = None  # None: never


class TooManyFinals(CompetitionError):
    """The team has chosen as many submissions as this phase takes."""

    code = "TOO_MANY_FINALS"
    fix = "Take another choice back first."


class NotATeamMember(CompetitionError):
    """You are not a member of that team."""

    code = "NOT_A_TEAM_MEMBER"
    fix = "Choose one of your own teams; leave the team out to submit alone."


class DuplicateSubmission(CompetitionError):
    """The team has already submitted this very archive."""

    code = "DUPLICATE_SUBMISSION"
    fix = "Change the generator, or look at the earlier submission."


class RefusedArchive(CompetitionError):
    """The archive breaks a rule of the submission format."""

    code = "INVALID_BUNDLE"


class UploadTooLarge(CompetitionError):
    """The upload is larger than this platform takes."""

    code = "UPLOAD_TOO_LARGE"
    fix = "Leave out what the generator does not need, or store the weights in half precision."


class IllegalTransition(CompetitionError):
    """The run is not in a state that allows this."""

    code = "ILLEGAL_TRANSITION"


class StaleFence(CompetitionError):
    """The run has passed to another worker, or has ended; this write came too late."""

    code = "STALE_FENCE"


class InvalidDataset(CompetitionError):
    """The dataset cannot be imported."""

    code = "INVALID_DATASET"


class InvalidFile(CompetitionError):
    """The competition file breaks a rule."""

    code = "INVALID_COMPETITION_FILE"


class LockedSince(CompetitionError):
    """The competition is published, and some of what the file changes stays as it is since."""

    code = "LOCKED_SINCE_PUBLISHED"
    fix = "Take these changes back in the file, or give it another slug, which makes a new competition."


class InvalidInput(CompetitionError):
    """Some fields are wrong."""

    code = "INVALID_INPUT"


class SliceTooThin(CompetitionError):
    """This slice has too few pairs for numbers of its own."""

    code = "SLICE_TOO_THIN"
    fix = "Take another slice, or the whole board."


class AddressUnchecked(CompetitionError):
    """The mail address of this account was never confirmed."""

    code = "ADDRESS_UNCHECKED"
    fix = "Follow the link in the mail that came after signing up; signing in on the site sends it again."


class ScopeMissing(CompetitionError):
    """The token does not have the scope for this."""

    code = "SCOPE_MISSING"


class KeyReused(CompetitionError):
    """This Idempotency-Key belongs to another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    fix = "Choose a new key for each thing to be made; a key is free again after a day."


class KeyBusy(CompetitionError):
    """The first request with this Idempotency-Key is still under way."""

    code = "IDEMPOTENCY_KEY_BUSY"
    fix = "Wait for its end, then send the same request again."


class UploadQuotaExceeded(CompetitionError):
    """There is no room left for your uploads."""

    code = "UPLOAD_QUOTA_EXCEEDED"
    fix = "Finish or delete uploads that you no longer need; each one goes by itself when it expires."


class UploadClosed(CompetitionError):
    """This upload takes no more parts."""

    code = "UPLOAD_CLOSED"
    fix = "Start a new upload."


class WrongKind(CompetitionError):
    """This upload was announced as something else, or its manifest does not fit what it is."""

    code = "UPLOAD_KIND"


class PartRefused(CompetitionError):
    """This part does not fit the upload."""

    code = "PART_REFUSED"


class PartConflict(CompetitionError):
    """There is another part at this offset already."""

    code = "PART_CONFLICT"
    fix = "Has the file changed? Delete this upload and start a new one."


class UploadIncomplete(CompetitionError):
    """Parts of this upload are missing."""

    code = "UPLOAD_INCOMPLETE"


class UploadMismatch(CompetitionError):
    """The parts together are not the file that was announced."""

    code = "UPLOAD_MISMATCH"
    fix = "Start a new upload with the digest of the file as it is now."


class AddressRefused(CompetitionError):
    """This address cannot be told."""

    code = "WEBHOOK_ADDRESS_REFUSED"
    fix = "Give a public address, as https://example.org/hooks; an operator can allow others on a closed network."


class TooManyWebhooks(CompetitionError):
    """This team or competition has as many webhooks as there may be."""

    code = "TOO_MANY_WEBHOOKS"
    fix = "Delete one of them first."


class NotComparable(CompetitionError):
    """These two runs cannot be compared."""

    code = "NOT_COMPARABLE"
    fix = "Choose two that were scored on the same pairs by the same metric suite."
