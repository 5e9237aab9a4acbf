"""One way with one model, as the process that measures it reads it."""

from __future__ import annotations

from dataclasses import dataclass

from imagebench.on_disk import OnDisk


@dataclass
class Task(OnDisk):
    """What to measure, and where the bundle is."""

    way: str
    model: str
    folder: str
