"""A new password for the owner."""

from typing import Any

from django.core.management.base import BaseCommand

from pqap_site import logins


class Command(BaseCommand):
    """For whoever lost the password the first start printed."""

    help = "Give the owner's login a new random password, printed once."

    def handle(self, *args: Any, **options: Any) -> None:
        """Reset and print."""
        password = logins.reset_owner()
        self.stdout.write(f"Login: {logins.OWNER}\nPassword: {password}")
        self.stdout.write("It is shown only now; sessions made with the old one have ended.")
