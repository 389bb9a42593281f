"""The Django application of the domain."""

from django.apps import AppConfig


class CompetitionsConfig(AppConfig):
    """Register the application."""

    name = "competitions"
