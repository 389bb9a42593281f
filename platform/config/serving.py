"""Gunicorn's configuration: `gunicorn config.wsgi -c python:config.serving`."""

import os
import sys

from django.conf import settings

from config import checks, places

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

# A wrong setting ends the server at once; otherwise it would start workers that fail, for ever.
preload_app = True
logconfig_dict = settings.LOGGING
# Without what people typed behind the question mark.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s, %(B)s bytes in %(L)s s'


def on_starting(server: object) -> None:
    """Wait for what pages need; the broker may come later, since the outbox keeps what is due to it."""
    if not settings.HAS_SECRET_KEY:
        sys.exit(f"{checks.NO_KEY} {checks.MAKE_A_KEY}.")
    places.wait_for("database", "storage")
