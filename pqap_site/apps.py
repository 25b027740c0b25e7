"""The composition root as a Django app: it owns the identity of the database and the commands."""

from django.apps import AppConfig


class PqapSiteConfig(AppConfig):
    """Makes PQAP's Celery app the one every task belongs to."""

    name = "pqap_site"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tasks are declared with shared_task; they bind to the app that is current by then."""
        from pqap_site import celery

        celery.app.set_default()
