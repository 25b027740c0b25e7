"""The dashboard app: what this process knows about itself."""

import os
import time

from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"
    default_auto_field = "django.db.models.BigAutoField"

    started_at = int(os.environ.get("PQAP_STARTED_AT", time.time() * 1000))
    """When the environment started, as its supervisor says, else this process; ms UTC."""
