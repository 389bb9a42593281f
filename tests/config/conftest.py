"""Give the tests of this room the fixtures that need Django, and a database for processes of their own."""

from pathlib import Path

import pytest

from tests.config.processes import run
from tests.django_fixtures import *  # noqa: F403


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data folder whose database is ready."""
    folder = tmp_path_factory.mktemp("migrated")
    done = run(folder, "manage.py", "migrate", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    return folder
