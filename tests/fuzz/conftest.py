"""Give the tests of this room the fixtures that need Django."""

from tests.api_fixtures import *  # noqa: F403
from tests.django_fixtures import *  # noqa: F403
