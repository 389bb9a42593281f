#!/usr/bin/env python
"""Run Django's administrative commands."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Put `platform/` on the path (it is a source root, never a package) and hand over to Django."""
    sys.path.insert(1, str(Path(__file__).parent / "platform"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
