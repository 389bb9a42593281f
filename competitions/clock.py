"""Time as the database tells it: machines whose clocks disagree still agree on when a lease ends."""

from datetime import timedelta

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.functions import Now


def in_seconds(seconds: float) -> ExpressionWrapper:
    """Return the moment that lies so far ahead of the database's clock, for use in a query."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())
