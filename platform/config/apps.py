"""The Django application of the configuration itself; it has no tables, only system checks."""

from django.apps import AppConfig
from django.core.checks import Tags, register

from config import checks
from workers.checks import check_sandbox


class ConfigConfig(AppConfig):
    """Register the checks."""

    name = "config"

    def ready(self) -> None:
        """Have `manage.py check` look at the places that every process needs."""
        register(checks.check_places, Tags.database)
        register(checks.check_secret_key, deploy=True)
        register(check_sandbox, deploy=True)
