"""The workers that were seen, and what they can run."""

from django.db import models


class Worker(models.Model):
    """One worker process: last sign of life, what it offers, and why it refuses strangers' generators if it does.

    `obstacle` says why it takes no work at all for the moment. These texts are in English; `told` keeps what they
    were made of, for readers of another language.
    """

    name = models.CharField(max_length=200, unique=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    driver = models.CharField(max_length=40, blank=True)
    driver_details = models.JSONField(default=dict, blank=True)
    devices = models.JSONField(default=list, blank=True)
    memory_mb = models.PositiveIntegerField(default=0)
    runtimes = models.JSONField(default=list, blank=True)
    obstacle = models.CharField(max_length=500, blank=True)
    can_run_untrusted = models.BooleanField(default=False)
    reason = models.CharField(max_length=500, blank=True)
    advice = models.CharField(max_length=500, blank=True)
    told = models.JSONField(null=True, blank=True, help_text="name of a text -> [template, values]")

    def __str__(self) -> str:
        return self.name
