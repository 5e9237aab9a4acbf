"""What a command is."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One word after `sparkdl`.

    Attributes
    ----------
    name, help : str
        The word, and what it does.
    add_arguments : callable
        Adds its arguments to a parser.
    run : callable
        Takes the parsed arguments and returns the exit code.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
