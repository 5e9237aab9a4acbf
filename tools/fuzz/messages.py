"""Damaged messages of training: the link ends and says so, or gives a message."""

from __future__ import annotations

import random
import socket
from functools import partial
from typing import Any

from fuzz.mutations import damage_bytes, damage_json
from fuzz.tally import Tally
from sparkdl._processes.link import Link, LinkClosed, Message

_LARGEST_PAYLOAD = 1 << 20


def fuzz_messages(spark: Any, inputs: int, seed: int) -> Tally:
    """Receive what may be two messages, of which one is damaged."""
    tally = Tally("messages of training")
    frames = [_frame("batch", b"\1\2\3" * 50, rank=1, step=7, names=["a", "b"]), _frame("done")]
    for i in range(inputs):
        draw = random.Random(f"{seed}-message-{i}")
        data = damage_bytes(draw, frames[i % 2], frames)
        if draw.random() < 0.4:
            text = damage_json(draw, '{"kind": "batch", "rank": 1, "names": ["a"]}').encode()
            data = len(text).to_bytes(4, "big") + (3).to_bytes(8, "big") + text + b"abc"
        tally.attempt(f"seed {seed}, message {i}", partial(_receive, tally, data))
    return tally.finish()


def _receive(tally: Tally, data: bytes) -> None:
    ours, theirs = _connection()
    with theirs:
        link = Link(ours, 1.0)
        try:
            theirs.sendall(data)
            theirs.shutdown(socket.SHUT_WR)
            while True:
                message = link.receive(_LARGEST_PAYLOAD)
                assert isinstance(message, Message)
                assert isinstance(message.fields, dict)
        except LinkClosed:
            pass
        finally:
            link.close()


def _frame(kind: str, payload: bytes = b"", **fields: Any) -> bytes:
    ours, theirs = _connection()
    with theirs:
        link = Link(ours, 1.0)
        link.send(kind, payload, **fields)
        link.close()
        return b"".join(iter(lambda: theirs.recv(1 << 16), b""))


def _connection() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("localhost", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        return ours, server.accept()[0]
