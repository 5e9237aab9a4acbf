"""Damage: bytes and JSON as accidents and strangers change them, each from a seed."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Sequence
from typing import Any

_HEADER = 120  # bytes; damage is worst where sizes and types stand
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_LARGEST = 1 << 20  # bytes of what damage makes longer
_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        1,
        2**31,
        2**63,
        -(2**63),
        1e308,
        0.5,
        "",
        " ",
        "..",
        "/",
        "\0",
        "x" * 5000,
    ),
    *([], {}, [[]], [None], {"": None}, [-1], [2**31, 2**31], "int32", "float64", "string", "NaN"),
)


def damage_bytes(draw: random.Random, content: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Return the content with one to four kinds of damage.

    Parameters
    ----------
    draw : random.Random
        What is drawn depends on its seed alone.
    content : bytes
        A whole file or message.
    others : list of bytes
        Files that a part may come from.
    """
    changed = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        draw.choice(_KINDS)(draw, changed, others)
    return bytes(changed)


def _at(draw: random.Random, changed: bytearray) -> int:
    near = draw.random() < 0.6
    return draw.randrange(max(1, min(len(changed), _HEADER) if near else len(changed)))


def _flip_bits(draw: random.Random, changed: bytearray, others: Sequence[bytes]) -> None:
    for _ in range(draw.randint(1, 8) if changed else 0):
        changed[_at(draw, changed)] ^= 1 << draw.randrange(8)


def _set_bytes(draw: random.Random, changed: bytearray, others: Sequence[bytes]) -> None:
    for _ in range(draw.randint(1, 4) if changed else 0):
        changed[_at(draw, changed)] = draw.choice((0, 255, 128, draw.randrange(256)))


def _set_number(draw: random.Random, changed: bytearray, others: Sequence[bytes]) -> None:
    kind = draw.choice(("<H", ">H", "<I", ">I", "<Q", ">Q"))
    size = struct.calcsize(kind)
    if len(changed) >= size:
        at = min(_at(draw, changed), len(changed) - size)
        number = draw.choice((*_NUMBERS, len(changed), len(changed) + 1, 2**63, 2**64 - 1))
        struct.pack_into(kind, changed, at, number % (1 << 8 * size))


def _cut(draw: random.Random, changed: bytearray, others: Sequence[bytes]) -> None:
    del changed[draw.randrange(len(changed) + 1) :]


def _remove_part(draw: random.Random, changed: bytearray, others: Sequence[bytes]) -> None:
    at = _at(draw, changed)
    del changed[at : at + draw.randint(1, 64)]


def _repeat_part(draw: random.Random, changed: bytearray, others: Sequence[bytes]) -> None:
    at = _at(draw, changed)
    part = changed[at : at + draw.randint(1, 200)] * draw.choice((1, 2, 50))
    if len(changed) + len(part) <= _LARGEST:
        changed[at:at] = part


def _splice(draw: random.Random, changed: bytearray, others: Sequence[bytes]) -> None:
    if others:
        other, at = draw.choice(others), _at(draw, changed)
        start = draw.randrange(max(1, len(other)))
        part = other[start : start + draw.randint(1, 500)]
        changed[at : at + len(part)] = part


_KINDS = (_flip_bits, _set_bytes, _set_number, _cut, _remove_part, _repeat_part, _splice)


def damage_json(draw: random.Random, text: str) -> str:
    """Return the JSON with other values, without some, with deep nesting, or no JSON any more."""
    if draw.random() < 0.15:
        return damage_bytes(draw, text.encode()).decode("utf-8", "replace")
    value = json.loads(text)
    for _ in range(draw.randint(1, 3)):
        places = list(_places(value))
        if not places:
            break
        holder, key = draw.choice(places)
        _damage_value(draw, holder, key)
    changed = json.dumps(value)
    if draw.random() < 0.05:
        levels = draw.choice((50, 400, 3000, 100_000))
        changed = changed.replace('"', "[" * levels + '"', 1)
    return changed


def _damage_value(draw: random.Random, holder: Any, key: Any) -> None:
    way = draw.random()
    if way < 0.2:
        del holder[key]
    elif way < 0.3 and isinstance(holder, list):
        holder.extend(copy.deepcopy(holder[key]) for _ in range(draw.choice((1, 3, 300))))
    elif way < 0.4 and isinstance(holder, dict):
        holder[draw.choice(("", "x", "..", f"{key} "))] = holder.pop(key)
    elif way < 0.5 and isinstance(holder[key], str):
        holder[key] = damage_bytes(draw, holder[key].encode()).decode("utf-8", "replace")
    elif way < 0.6 and isinstance(holder[key], (int, float)):
        holder[key] = -holder[key] if draw.random() < 0.5 else holder[key] * 1_000_003
    else:
        holder[key] = copy.deepcopy(draw.choice(_VALUES))


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, (dict, list)):
            yield from _places(inner)
