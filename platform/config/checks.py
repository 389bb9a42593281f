"""What `manage.py check` asks about this installation beside Django's own questions."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

from config.places import PLACES

NO_KEY = "PASTICHE_SECRET_KEY is not set."
MAKE_A_KEY = "Set a long random text, the same for every web process: openssl rand -hex 32"


def check_places(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **_: object
) -> list[CheckMessage]:
    """Look at database, storage and broker, where the caller names a database; what waits for `migrate` is no error."""
    if not databases:
        return []
    troubles = {name: ask() for name, ask in PLACES.items()}
    return [
        Error(f"The {name} cannot be used. {trouble}", id=f"pastiche.{name}")
        for name, trouble in troubles.items()
        if trouble and trouble.state != "not migrated"
    ]


def check_secret_key(app_configs: Sequence[AppConfig] | None, **_: object) -> list[CheckMessage]:
    """A web server needs the key; workers do without."""
    if settings.HAS_SECRET_KEY:
        return []
    return [Error(NO_KEY, hint=MAKE_A_KEY, id="pastiche.secret_key")]
