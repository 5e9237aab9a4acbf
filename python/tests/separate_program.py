"""Programs in a process of their own, whose session is not that of the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def run_program(program: str | Path, *arguments: object, timeout: int = 300) -> tuple[Any, str]:
    """Run a program of Python; return the JSON of the last line that it prints, and its errors."""
    done = subprocess.run(
        [sys.executable, str(program), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1]), done.stderr
