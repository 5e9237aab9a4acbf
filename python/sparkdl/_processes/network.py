"""Hosts and ports, of IPv4 and of IPv6.

Spark and TensorFlow write an IPv6 address in brackets, ``[::1]``; sockets take it without.
"""

from __future__ import annotations

import socket
from contextlib import suppress


def without_brackets(host: str) -> str:
    """Return a host as sockets take it.

    >>> without_brackets("[::1]"), without_brackets("10.0.0.1"), without_brackets("a.b")
    ('::1', '10.0.0.1', 'a.b')
    """
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def authority(host: str, port: int) -> str:
    """Return host and port as one text, with brackets around an IPv6 address.

    >>> authority("::1", 80), authority("[::1]", 80), authority("a.b", 80)
    ('[::1]:80', '[::1]:80', 'a.b:80')
    """
    plain = without_brackets(host)
    return f"[{plain}]:{port}" if ":" in plain else f"{plain}:{port}"


def connect(host: str, port: int, seconds: float) -> socket.socket:
    """Connect to a host, with or without brackets, by whichever of its addresses answers.

    Raises
    ------
    OSError
        None of them answers.
    """
    return socket.create_connection((without_brackets(host), port), timeout=seconds)


def free_port(reuse: bool = False) -> socket.socket:
    """Return a socket on a free port of all addresses of this machine; it does not listen yet.

    Parameters
    ----------
    reuse : bool
        Whether another socket of this user may take the same port.
    """
    if socket.has_dualstack_ipv6():
        with suppress(OSError):  # the kernel knows IPv6, but it may be switched off
            return _bind(socket.AF_INET6, reuse)
    return _bind(socket.AF_INET, reuse)


def listen(backlog: int) -> socket.socket:
    """Return a socket that listens on a free port of all addresses of this machine."""
    server = free_port()
    server.listen(backlog)
    return server


def _bind(family: socket.AddressFamily, reuse: bool) -> socket.socket:
    server = socket.socket(family)
    try:
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # IPv4 may connect too
        if reuse:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("", 0))
    except OSError:
        server.close()
        raise
    return server
