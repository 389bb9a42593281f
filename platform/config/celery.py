"""The Celery application; messages are nudges, the database rows are the work."""

import logging.config
import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]  # missing in celery-types
from celery.signals import setup_logging
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# A worker runs as root on purpose: only root can give each sandbox a user of its own.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("pastiche")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["workers"])


@setup_logging.connect
def _log_like_django(**_: object) -> None:
    """Keep Celery from setting up logging of its own."""
    logging.config.dictConfig(settings.LOGGING)
