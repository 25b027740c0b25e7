"""Tokens for programs that use the API."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pqap_site import logins


class Command(BaseCommand):
    """`token create NAME --role viewer`, `token list`, `token revoke NAME`."""

    help = "Create, list or revoke API tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        """One sub-command each."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="print a new token, once")
        create.add_argument("name")
        create.add_argument("--role", choices=logins.ROLES, default="viewer")
        actions.add_parser("list", help="names and roles, never keys")
        revoke = actions.add_parser("revoke", help="end a token at once")
        revoke.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Translate, call, print."""
        if options["action"] == "create":
            self._create(options["name"], options["role"])
        elif options["action"] == "revoke":
            self._revoke(options["name"])
        else:
            for token in logins.tokens():
                self.stdout.write(f"{token.name}  {token.role}  {token.made_at:%Y-%m-%d %H:%M} UTC")

    def _create(self, name: str, role: str) -> None:
        try:
            key = logins.create_token(name, role)
        except logins.Taken:
            raise CommandError(
                f"There is a token named {name}: choose another name, or end it with "
                f"`token revoke {name}`."
            ) from None
        self.stdout.write(key)
        self.stderr.write(f"Shown only now. Send it as `Authorization: Token {key[:4]}...`.")

    def _revoke(self, name: str) -> None:
        try:
            logins.revoke_token(name)
        except logins.Unknown:
            known = ", ".join(token.name for token in logins.tokens()) or "none"
            raise CommandError(f"There is no token named {name}; there are: {known}.") from None
        self.stdout.write(f"The token {name} works no more.")
