"""The dashboard app: what this process knows about itself."""

import time

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    default_auto_field = "django.db.models.BigAutoField"

    started_at = int(time.time() * 1000)
    """When this process started, ms UTC."""
