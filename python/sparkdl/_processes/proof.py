"""How both ends of a connection prove that they belong to one run, without saying its secret.

Whoever is connected to sends a challenge; who connects sends one of its own and the HMAC of both;
the first then sends another HMAC of both. All have a fixed size, so that a stranger can neither
make anybody read more nor learn anything that opens another connection.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import time

from sparkdl._processes.link import DeadlinePassed, LinkClosed
from sparkdl._processes.network import authority, connect

CHALLENGE_BYTES = ANSWER_BYTES = 32
_PAUSE = 0.2  # between attempts to connect


def new_challenge() -> bytes:
    """Return random bytes."""
    return secrets.token_bytes(CHALLENGE_BYTES)


def answer_of_caller(secret: str, purpose: str, theirs: bytes, own: bytes) -> bytes:
    """Return what who connects must answer to a challenge."""
    return _answer("caller", secret, purpose, theirs, own)


def answer_of_called(secret: str, purpose: str, own: bytes, theirs: bytes) -> bytes:
    """Return what who is connected to must answer to the caller's challenge."""
    return _answer("called", secret, purpose, own, theirs)


def _answer(side: str, secret: str, purpose: str, called: bytes, caller: bytes) -> bytes:
    return hmac.digest(secret.encode(), f"{side} {purpose} ".encode() + called + caller, "sha256")


def introduce(connection: socket.socket, secret: str, purpose: str, seconds: float) -> None:
    """Prove on a new connection that this end knows the secret, and ask for the same proof.

    Parameters
    ----------
    purpose : str
        What the connection is for: a proof for something else does not count.
    seconds : float
        Deadline of all.

    Raises
    ------
    LinkClosed
        The other end hung up, or is not of this run.
    DeadlinePassed
    """
    end = time.monotonic() + seconds
    theirs, own = _receive(connection, CHALLENGE_BYTES, end), new_challenge()
    answer = answer_of_caller(secret, purpose, theirs, own)
    try:
        connection.sendall(own + answer)
    except OSError as e:
        raise LinkClosed(str(e)) from e
    expected = answer_of_called(secret, purpose, theirs, own)
    if not hmac.compare_digest(_receive(connection, ANSWER_BYTES, end), expected):
        raise LinkClosed("what answers there does not belong to this run")


def connect_once(host: str, port: int, secret: str, purpose: str, seconds: float) -> socket.socket:
    """Connect and `introduce`.

    Raises
    ------
    OSError
        Nobody of this run answers.
    """
    end = time.monotonic() + seconds
    connection = connect(host, port, seconds)
    try:
        introduce(connection, secret, purpose, max(0.1, end - time.monotonic()))
        return connection
    except BaseException:
        connection.close()
        raise


def connect_proved(
    host: str, port: int, secret: str, purpose: str, seconds: float
) -> socket.socket:
    """Do the same, trying again and again until the deadline.

    Raises
    ------
    DeadlinePassed
    """
    end = time.monotonic() + seconds
    while True:
        try:
            return connect_once(host, port, secret, purpose, max(0.1, end - time.monotonic()))
        except OSError as e:
            if time.monotonic() + _PAUSE > end:
                raise DeadlinePassed(
                    f"cannot connect to {authority(host, port)} within {seconds:g} s: {e}"
                ) from e
            time.sleep(_PAUSE)


def _receive(connection: socket.socket, size: int, end: float) -> bytes:
    data = b""
    while len(data) < size:
        connection.settimeout(max(0.001, end - time.monotonic()))
        try:
            part = connection.recv(size - len(data))
        except TimeoutError as e:
            raise DeadlinePassed("what is connected to says nothing") from e
        except OSError as e:
            raise LinkClosed(str(e)) from e
        if not part:
            raise LinkClosed("the other side hung up")
        data += part
    return data
