"""What a flag is: one sign that an organizer should look at, with the numbers behind it; and which signs there are."""

from collections.abc import Mapping
from dataclasses import dataclass

FLAGS: Mapping[str, str] = {
    "COPY_CONTENT": "Outputs are the content image.",
    "COPY_STYLE": "Outputs are the style image.",
    "BLEND": "Outputs are content and style image, one laid over the other.",
    "QUILT": "Outputs are put together from pieces of the style image.",
    "IGNORES_STYLE": "Outputs do not depend on the style image.",
    "IGNORES_CONTENT": "Outputs do not depend on the content image.",
    "MEMORIZES": "Public styles are met better than hidden ones.",
    "ADVERSARIAL": "Scores vanish under changes that nobody sees.",
    "AUDIT_DISAGREES": "A second network does not see what the official one sees.",
}


@dataclass(frozen=True)
class Flag:
    """One sign, looked for in one entry.

    `strength` is what was measured, in the unit that the flag's function documents; the flag is raised from
    `threshold` on, but never on too few pairs. `sentence` tells an organizer what was seen and on how many pairs; it
    describes outputs and accuses nobody, because there are honest reasons for most signs.
    """

    code: str
    strength: float
    threshold: float
    is_raised: bool
    sentence: str


def share_flag(code: str, hits: int, n: int, *, threshold: float, least: int, what: str) -> Flag:
    """Make a flag from how many of `n` pairs show a sign.

    Args:
        code: of the flag.
        hits: pairs that show it.
        n: pairs that were looked at.
        threshold: share from which the flag is raised.
        least: pairs that must be looked at before it is raised.
        what: the end of a sentence that starts with "On 3 of 24 pairs".

    Returns:
        the flag; its strength is the share ``hits / n``, 0 for no pairs.
    """
    share = hits / n if n else 0.0
    sentence = f"On {hits} of {n} pairs {what}; raised from {threshold:.0%} of at least {least} pairs."
    return Flag(code, share, threshold, n >= least and share >= threshold, sentence)
