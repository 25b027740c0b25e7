"""Process titles, so that `ps` tells PQAP's processes and environments apart."""

from setproctitle import setproctitle


def announce(env: str, role: str) -> None:
    """Show this process as "pqap <env>: <role>"."""
    setproctitle(f"pqap {env}: {role}")
