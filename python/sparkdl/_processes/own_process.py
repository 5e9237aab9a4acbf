"""A process that is started for one call, where none can be forked from a `keeper`."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from sparkdl._processes.surroundings import Main

_PROGRAM = """\
import json, sys
from importlib import import_module
sys.path[:], module, name, folder = json.loads(sys.argv[1])
getattr(import_module(module), name)(folder)
"""


class OwnProcess:
    """A process that calls a function of a module with a folder.

    Attributes
    ----------
    code : int or None
        Its exit status; a negative one is a signal, and None that it still runs.
    """

    def __init__(self, main: Main, folder: Path) -> None:
        call = json.dumps([sys.path, main.__module__, main.__name__, str(folder)])
        command = [sys.executable, "-c", _PROGRAM, call]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self.code: int | None = None

    def wait(self, seconds: float) -> bool:
        """Wait for at most so many seconds, and return whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.code = self._process.wait(seconds)
        return self.code is not None

    def kill(self) -> None:
        """End it, and wait for that."""
        self._process.kill()
        self._process.wait()
