"""The Celery application; messages are nudges, the database rows are the work."""

import logging.config
import os
import warnings

import django
from celery import Celery
from celery.platforms import SecurityWarning  # type: ignore[attr-defined]  # missing in celery-types
from celery.signals import beat_init, setup_logging, worker_init
from django.conf import settings

from config import places

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


@worker_init.connect
@beat_init.connect
def _wait_for_places(**_: object) -> None:
    """Before anything else: without database, storage, broker or disk a worker waits, or ends, and says why."""
    django.setup()
    evaluates = "evaluation" in app.amqp.queues.consume_from
    places.wait_for("database", "storage", "broker", *(("disk",) if evaluates else ()))
