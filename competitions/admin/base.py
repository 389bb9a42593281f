"""What the pages of Django's admin have in common: rows that nobody edits, and actions that services carry out."""

from collections.abc import Callable
from typing import TypeVar, cast

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.models import User
from competitions.errors import CompetitionError

Row = TypeVar("Row", bound=Model)


def operator(request: HttpRequest) -> User:
    """Return who works with the admin, which nobody enters without signing in."""
    return cast(User, request.user)


def decide_each(request: HttpRequest, chosen: QuerySet[Row], decide: Callable[[Row], str]) -> None:
    """Decide about the chosen rows one after the other, and tell what came of each; a refusal stops no other."""
    for row in chosen:
        try:
            messages.success(request, f"{row}: {decide(row)}")
        except CompetitionError as error:
            messages.error(request, f"{row}: {error.message} {error.fix}".rstrip())


class ReadOnlyAdmin(admin.ModelAdmin):
    """Rows that services write and nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False
