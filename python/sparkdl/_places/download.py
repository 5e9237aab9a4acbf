"""Keras' downloads of weights and labels, which must not hang."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

_TIMEOUT_SECONDS = 20.0


@contextmanager
def quick_network() -> Iterator[None]:
    """Let a download fail when a server does not answer for 20 seconds."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
