"""The domain in Django's admin: competitions and dates may be edited, what runs rely on is only shown."""

from competitions.admin import competitions, records, submissions, teams

__all__ = ["competitions", "records", "submissions", "teams"]
