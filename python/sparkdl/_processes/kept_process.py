"""A process that is forked from one with Keras loaded, the `keeper`, which is started if need be.

All processes whose surroundings are equal (Python, paths, environment, folder) have one keeper.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sparkdl._processes.keeper import LOG, LONGEST, STARTED
from sparkdl._processes.sockets_folder import folder_of, locked
from sparkdl._processes.surroundings import Keeping, Main, can_fork

# The keeper is nobody's child: nobody has to wait for its end. It stays in the process group, so
# that it ends with Spark's Python workers.
_PROGRAM = """\
import json, os, sys
os.fork() and os._exit(0)
path, arguments = json.loads(sys.argv[1])
sys.path[:] = path
from sparkdl._processes.keeper import main
main(**arguments)
"""
_TRIES = 3  # a keeper may end just when somebody comes
_KILL_SECONDS = 5.0
_MOST_WAITING = 128  # connections
_TAIL = 2000  # characters of the keeper's log


class KeptProcess:
    """A process that calls a function of a module with a folder.

    Attributes
    ----------
    code : int or None
        Its exit status; a negative one is a signal, and None that its keeper was killed.
    """

    def __init__(self, main: Main, folder: Path, keeping: Keeping) -> None:
        self._keeping = keeping
        request = {
            "main": [main.__module__, main.__name__],
            "folder": str(folder),
            "idle_seconds": keeping.idle_seconds,
        }
        self._request = json.dumps(request).encode()
        self.code: int | None = None
        self._started = self._ended = False
        self._tries = 0
        self._begin()

    def wait(self, seconds: float) -> bool:
        """Wait for at most so many seconds, and return whether it has ended."""
        if self._ended or not select.select([self._connection], [], [], seconds)[0]:
            return self._ended
        message = _receive(self._connection)
        if message == STARTED:
            self._started = True
        elif message or self._started:
            self.code, self._ended = int(message) if message else None, True
        else:
            self._connection.close()
            self._begin()
        return self._ended

    def kill(self) -> None:
        """End it, and wait for that."""
        end = time.monotonic() + _KILL_SECONDS
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            while not self._ended and time.monotonic() < end:
                readable = select.select([self._connection], [], [], _KILL_SECONDS)[0]
                self._ended = bool(readable) and _receive(self._connection) != STARTED
        self._connection.close()

    def _begin(self) -> None:
        self._tries += 1
        if self._tries > _TRIES:
            modules = ", ".join(self._keeping.modules) or "sparkdl"
            raise RuntimeError(
                f"The process that loads {modules} for others "
                f"ended before it could start one. It last wrote: {_log_of(self._keeping)}"
            )
        self._connection = _connect(self._keeping)
        with suppress(BrokenPipeError, ConnectionResetError):  # noticed by `wait`
            self._connection.send(self._request)


@contextmanager
def loading(keeping: Keeping) -> Iterator[None]:
    """Have a keeper load its modules, and stay, during this block."""
    if not can_fork():
        yield
        return
    with _connect(keeping) as connection:
        # Where it died, whoever needs one starts another.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(json.dumps({"idle_seconds": keeping.idle_seconds}).encode())
        yield


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(LONGEST)
    except ConnectionResetError:
        return b""


def _connect(keeping: Keeping) -> socket.socket:
    """Connect to the keeper of these surroundings; start it if there is none."""
    name = keeping.name()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with locked(folder_of(keeping)) as folder:
        address = f"/proc/self/fd/{folder}/{name}"  # paths of sockets have to be short
        try:
            connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            _start(keeping, address, connection)
    return connection


def _start(keeping: Keeping, address: str, connection: socket.socket) -> None:
    """Start a keeper, and connect to it.

    Others can connect at once, and wait until it has loaded its modules.
    """
    path = folder_of(keeping) / Path(address).name
    Path(address).unlink(missing_ok=True)  # of one that was killed
    facts = keeping.facts()
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door,
        open(path.with_suffix(LOG), "ab") as log,
    ):
        door.bind(address)
        door.listen(_MOST_WAITING)
        connection.connect(address)  # before it may have died of its imports
        arguments = {
            "address": str(path),
            "door": door.fileno(),
            "modules": facts["modules"],
            "owner": facts["owner"],
        }
        subprocess.run(
            [sys.executable, "-c", _PROGRAM, json.dumps([facts["path"], arguments])],
            check=True,
            pass_fds=[door.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )


def _log_of(keeping: Keeping) -> str:
    log = (folder_of(keeping) / keeping.name()).with_suffix(LOG)
    return log.read_text(errors="replace")[-_TAIL:].strip() if log.is_file() else "nothing"
