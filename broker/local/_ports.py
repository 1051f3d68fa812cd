"""Ports for servers on this machine."""

from contextlib import ExitStack, suppress
from secrets import SystemRandom
from socket import socket

PORTS = range(20000, 32000)
"""Below those that outgoing connections take by themselves, so that a stopped server finds its own free again."""

ATTEMPTS = 1000


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens on now, all different."""
    ports: list[int] = []
    with ExitStack() as held:
        for port in SystemRandom().sample(PORTS, ATTEMPTS):
            if len(ports) == count:
                break
            with suppress(OSError):
                held.enter_context(socket()).bind(("127.0.0.1", port))
                ports.append(port)
    return ports
