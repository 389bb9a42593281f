"""Say errors of the domain in the reader's language, as far as a translation exists."""

from dataclasses import dataclass

from django.utils.translation import get_language, gettext

from competitions.errors import CompetitionError
from evaluation.failures import FAILURES


@dataclass(frozen=True)
class Explanation:
    """An error as a page shows it; `detail` is in English where no translation exists, and may be empty."""

    code: str
    sentence: str
    detail: str
    fix: str
    has_help: bool


def explain(error: CompetitionError) -> Explanation:
    """Put an error into words: its own sentence, or a translated general one with the own sentence as detail."""
    sentence, detail = gettext(error.message), ""
    general = " ".join((type(error).__doc__ or "").split())
    if sentence == error.message and not (get_language() or "en").startswith("en"):
        sentence, detail = gettext(general), error.message
    return Explanation(
        code=error.code,
        sentence=sentence,
        detail=detail,
        fix=gettext(error.fix) if error.fix else "",
        has_help=error.code in FAILURES,
    )
