"""Celery tasks, the run pipeline, the sandbox drivers and the supervisor of the warm scorer; loads no torch."""
