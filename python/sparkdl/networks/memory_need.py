"""What executors need to run a model: the rule that the driver warns by, measured per network."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files

_TABLE = files("sparkdl") / "resources" / "memory_needs.json"


def most_memory(weights: float) -> float:
    """Return the megabytes that an executor needs at most, whatever the precision.

    Parameters
    ----------
    weights : float
        The size of the weights in megabytes (10^6 bytes).
    """
    rule = _rule()
    return rule["processMB"] + rule["weightsAtMost"] * weights


@lru_cache(maxsize=1)
def _rule() -> dict[str, float]:
    rule: dict[str, float] = json.loads(_TABLE.read_text(encoding="utf-8"))
    return rule
