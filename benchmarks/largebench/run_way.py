"""Measures one way: `python -m largebench.run_way TASK.json RESULT.json`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from largebench.task import Task
from largebench.ways import WAYS


def main(task: Task, result: Path) -> None:
    """Measure and write the result."""
    measured = WAYS[task.way](task.model, Path(task.folder))
    result.write_text(json.dumps(measured))
    print("measured", flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(Task.read(sys.argv[1]), Path(sys.argv[2]))
