"""Whether the web server will get its port, asked before anything is started."""

import errno
import os
import socket

from pqap_site import environment
from pqap_site.supervisor import lock


class Unavailable(Exception):
    """The port cannot be had; the text says why and what to do."""


def check(host: str, port: int) -> None:
    """Bind and let go again, the way the web server will; raise Unavailable when that fails."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            raise Unavailable(_sentence(host, port, problem)) from None


def _sentence(host: str, port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by {_holder(port)}: stop that, "
            f"or choose another port, such as --port {port + 1}."
        )
    if problem.errno == errno.EACCES:
        return f"Port {port} is not allowed to this user: choose one above 1023 with --port."
    return f"{host}:{port} cannot be used ({problem.strerror}): check api.bind and api.port."


def _holder(port: int) -> str:
    for env in environment.running(environment.data_folder(os.environ)):
        noted = lock.notes(environment.paths(env).lock)
        if noted.get("port") == port:
            return f"PQAP {env} (process {noted.get('pid')})"
    return "another program"
