"""The Django application of users and teams."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Register the application."""

    name = "accounts"
