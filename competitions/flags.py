"""Which flags against gaming there are, and what each says: those of the evaluation, and two of the platform."""

from collections.abc import Mapping

from evaluation.gaming.flag import FLAGS

# Raised when pairs are shown again, so a rescoring, which shows nothing, cannot raise them anew.
REPLAY_FLAGS: Mapping[str, str] = {
    "NONDETERMINISTIC": "Two fresh sandboxes gave different pictures for the same pair.",
    "STATEFUL": "Pictures depend on which pairs were shown before.",
}
FLAG_TEXTS: Mapping[str, str] = {**FLAGS, **REPLAY_FLAGS}
