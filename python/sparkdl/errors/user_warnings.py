"""Warnings that point at the line of the user's program that they are about."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

_OURS = ("sparkdl", "pyspark")


def warn(text: str) -> None:
    """Warn at the call, outside of sparkdl and pyspark, that led here, however deep it is."""
    level = 1
    frame: FrameType | None = sys._getframe()
    while frame is not None and str(frame.f_globals.get("__name__")).split(".")[0] in _OURS:
        frame, level = frame.f_back, level + 1
    warnings.warn(text, stacklevel=level)
