"""Tasks on their way into the processes that measure them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T", bound="OnDisk")


class OnDisk:
    """A dataclass that can be written as JSON and read again."""

    @classmethod
    def read(cls: type[T], path: str) -> T:
        """Read what `write` wrote."""
        return cls(**json.loads(Path(path).read_text()))

    def write(self: Any, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self)))
