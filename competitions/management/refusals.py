"""What the commands have in common: refusals told with code, sentence and advice; files and users they name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.management.base import CommandError

from accounts.models import User
from competitions.errors import CompetitionError, InvalidInput
from evaluation.errors import EvaluationError


@contextmanager
def as_command_errors() -> Iterator[None]:
    """End the command with what services and the evaluation library refuse."""
    try:
        yield
    except (CompetitionError, EvaluationError) as error:
        raise CommandError(f"{error.code}: {error.message} {error.fix}".strip()) from error
    except ValidationError as error:
        wrong = " ".join(
            " ".join(texts) if name == NON_FIELD_ERRORS else f"{name}: {' '.join(texts)}"
            for name, texts in error.message_dict.items()
        )
        raise CommandError(f"{InvalidInput.code}: {wrong} Correct what is named here.") from error


def read_words(path: Path | None) -> str:
    """Return the text of a file that an option names, or nothing where it names none."""
    try:
        return path.read_text(encoding="utf-8") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{InvalidInput.code}: {path} cannot be read: {error}. Name a text file in UTF-8."
        ) from error


def find_user(username: str) -> User:
    """Return the user that an option names."""
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(
            f"NOT_FOUND: There is no user {username!r}. Sign up on the site, or run `manage.py createsuperuser`."
        )
    return user
