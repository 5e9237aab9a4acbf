"""Hosts and ports, of IPv4 and of IPv6.

Spark and TensorFlow write an IPv6 address in brackets, ``[::1]``; sockets take it without.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Ports:
    """The ports that something may listen on: `tries` of them from `first` on; 0 is any."""

    first: int = 0
    tries: int = 1

    def numbers(self) -> range:
        """Return them in the order in which they are tried."""
        return range(self.first, self.first + (self.tries if self.first else 1))


ANY_PORT = Ports()


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


def free_port(reuse: bool = False, port: int = 0) -> socket.socket:
    """Return a socket on a port of all addresses of this machine; it does not listen yet.

    Parameters
    ----------
    reuse : bool
        Whether another socket of this user may take the same port.
    port : int
        0 for any that is free.
    """
    if socket.has_dualstack_ipv6():
        with suppress(OSError):  # the kernel knows IPv6, but it may be switched off
            return _bind(socket.AF_INET6, reuse, port=port)
    return _bind(socket.AF_INET, reuse, port=port)


def listen(backlog: int, host: str = "", ports: Ports = ANY_PORT) -> socket.socket:
    """Return a socket that listens.

    Parameters
    ----------
    backlog : int
        Connections that may wait to be accepted.
    host : str
        An address of this machine. Empty for all of them, and so is one that is not this
        machine's (the outer one of a container), or that only this machine takes for a loopback.
    ports : Ports
        Those to try.

    Raises
    ------
    OSError
        None of the ports is free.
    """
    last = OSError(errno.EADDRINUSE, "no port is free")
    for port in ports.numbers():
        try:
            server = _at(without_brackets(host), port)
            server.listen(backlog)
            return server
        except OSError as e:
            if e.errno != errno.EADDRINUSE:
                raise
            last = e
    raise last


def _at(host: str, port: int) -> socket.socket:
    for family, address in _addresses(host):
        try:
            return _bind(family, reuse=False, address=address, port=port)
        except OSError as e:
            if e.errno == errno.EADDRINUSE:
                raise
    return free_port(port=port)


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    """Return the addresses of a host by which others can reach it, too."""
    if not host:
        return []
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    found: list[tuple[socket.AddressFamily, str]] = [(info[0], str(info[4][0])) for info in infos]
    if host == "localhost" or host == found[0][1]:
        return found
    return [(f, a) for f, a in found if not ipaddress.ip_address(a.partition("%")[0]).is_loopback]


def _bind(
    family: socket.AddressFamily, reuse: bool, address: str = "", port: int = 0
) -> socket.socket:
    server = socket.socket(family)
    try:
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # IPv4 may connect too
        if reuse:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if port:  # connections of an earlier run to it may not have ended yet
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((address, port))
    except OSError:
        server.close()
        raise
    return server
