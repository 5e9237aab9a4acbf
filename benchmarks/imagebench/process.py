"""Runs a mode in a process group of its own, with a time limit and its memory sampled."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

from imagebench.memory import PeakMemory
from imagebench.on_disk import OnDisk

BENCHMARKS = Path(__file__).resolve().parents[1]
PACKAGE = BENCHMARKS.parent / "python"


def environment() -> dict[str, str]:
    """Return the environment of every process that is measured."""
    paths = [str(BENCHMARKS), str(PACKAGE), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in paths if p),
        "PYSPARK_PYTHON": sys.executable,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONWARNINGS": "ignore",
    }


def run_module(module: str, *arguments: str) -> None:
    """Run a module such as "imagebench.export" to its end."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[2:])} failed:\n{done.stderr[-3000:]}")


def run_task(
    task: OnDisk, folder: Path, label: str, limit: float, runner: str = "imagebench.run_mode"
) -> dict[str, Any]:
    """Run one mode; return its result, or {"error": ...}.

    Parameters
    ----------
    task : OnDisk
        What the module `runner` reads.
    folder : Path
        For the task, the result and the log.
    limit : float
        Seconds after which the mode is stopped.
    """
    paths = [folder / f"{label}.{end}" for end in ("task.json", "result.json", "log")]
    task_file, result_file, log_file = paths
    result_file.unlink(missing_ok=True)
    task.write(task_file)
    command = [sys.executable, "-m", runner, str(task_file), str(result_file)]
    with log_file.open("w") as log:
        process = subprocess.Popen(
            command,
            env=environment(),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        memory = PeakMemory(process.pid)
        timer = threading.Timer(limit, _end, (process.pid,))
        timer.start()
        try:
            last = _follow(process, memory, label)
        finally:
            timer.cancel()
            memory.stop()
            _end(process.pid)
    if not result_file.exists():
        why = (
            "failed"
            if process.returncode not in (None, -signal.SIGKILL)
            else f"stopped after {limit:.0f} s"
        )
        return {"error": f"{why}: {_last_line(log_file) or last}", "log": str(log_file)}
    sampled = {
        "peak_bytes": memory.peak,
        "processes": memory.processes,
        "sampling_seconds": round(memory.cost, 2),
    }
    return {**sampled, **json.loads(result_file.read_text())}  # what a mode measures itself counts


def _follow(process: subprocess.Popen[str], memory: PeakMemory, label: str) -> str:
    """Pass the lines on; stop sampling when the mode is measured."""
    assert process.stdout is not None
    lines: deque[str] = deque(maxlen=1)
    for line in process.stdout:
        lines.append(line.strip())
        if lines[0] == "measured":
            memory.stop()
        elif lines[0]:
            print(f"    {label}: {lines[0]}", flush=True)
    process.wait()
    return f"last line: {lines[0]}" if lines else "no output"


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def _end(group: int) -> None:
    """Stop what is left of the process and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
