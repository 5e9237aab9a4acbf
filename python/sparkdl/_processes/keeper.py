"""A process with Keras loaded, from which the processes of workers are forked.

It never uses what it has imported, has one thread, and does nothing but fork, wait and kill.
`kept_process` is the other end of its connections: each sends one request, is told that its process
has started and with which status it has ended, and kills the process by hanging up.

The keeper ends, with all its processes, when its owner does, or when nobody has been connected for
some time. Processes end with it, however it ends.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from sparkdl._processes.sockets_folder import locked
from sparkdl._processes.surroundings import start_of

STARTED = b"started"  # the answer to a request
LOG = ".log"  # after the name of the keeper's socket
LONGEST = 1 << 16  # bytes of a message
_POLL_SECONDS = 1.0  # between looks at the owner
_PR_SET_PDEATHSIG = 1  # of prctl.h


def main(address: str, door: int, modules: Sequence[str], owner: Sequence[Any]) -> None:
    """Import the modules, and serve those who connect.

    Parameters
    ----------
    address : str
        The path of the socket.
    door : int
        The file descriptor of the socket, on which others can wait from the beginning.
    owner : (int, str)
        The owner's number and start.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the driver
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # a missing GPU is not an error
    for module in modules:
        try:
            import_module(module)
        except Exception:  # whoever needs it imports it again, and is told why that fails
            traceback.print_exc()
    gc.collect()
    gc.freeze()  # a collector that visits shared objects would copy their pages
    _Keeper(Path(address), socket.socket(fileno=door), int(owner[0]), str(owner[1])).run()


@dataclass
class _Child:
    connection: socket.socket
    folder: Path


class _Keeper:
    def __init__(self, address: Path, door: socket.socket, owner: int, owner_start: str) -> None:
        self._address, self._door = address, door
        self._owner, self._owner_start = owner, owner_start
        self._open: set[socket.socket] = set()
        self._children: dict[int, _Child] = {}
        self._idle_seconds = 0.0
        self._last_busy = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._selector.register(door, selectors.EVENT_READ, self._accept)
        self._awoken, awaken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._awoken, selectors.EVENT_READ, self._clear_signals)
        signal.set_wakeup_fd(awaken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only wakes the selector

    def run(self) -> None:
        """Serve until the owner is gone or nobody has come for some time."""
        while self._is_wanted():
            for key, _ in self._selector.select(_POLL_SECONDS):
                key.data(key.fileobj)
            self._collect_children()
        self._end()

    def _is_wanted(self) -> bool:
        if self._open:
            self._last_busy = time.monotonic()
        idle = time.monotonic() - self._last_busy
        waits = bool(self._open) or idle < max(self._idle_seconds, _POLL_SECONDS)
        return waits and start_of(self._owner) == self._owner_start != ""  # '': it was gone before

    def _accept(self, door: socket.socket) -> None:
        connection, _ = door.accept()
        self._open.add(connection)
        self._selector.register(connection, selectors.EVENT_READ, self._listen)

    def _clear_signals(self, awoken: int) -> None:
        with suppress(BlockingIOError):
            os.read(awoken, LONGEST)

    def _listen(self, connection: socket.socket) -> None:
        """Take a request, or notice that somebody hung up."""
        try:
            message = connection.recv(LONGEST)
        except ConnectionResetError:
            message = b""
        if message:
            self._start(connection, json.loads(message))
            return
        self._selector.unregister(connection)
        pids = [pid for pid, child in self._children.items() if child.connection is connection]
        if not pids:
            self._close(connection)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    def _start(self, connection: socket.socket, request: Mapping[str, Any]) -> None:
        self._idle_seconds = float(request["idle_seconds"])
        if "main" not in request:
            return
        keeper = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._become(keeper, request)
        self._children[pid] = _Child(connection, Path(request["folder"]))
        with suppress(OSError):  # who has hung up is noticed next
            connection.send(STARTED)

    def _become(self, keeper: int, request: Mapping[str, Any]) -> NoReturn:
        """Be the process that was asked for."""
        code = 1
        try:
            _end_with(keeper)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._selector.close()
            self._door.close()
            for connection in self._open:
                connection.close()
            if "numpy" in sys.modules:  # else all processes would draw the same
                sys.modules["numpy"].random.seed()
            module, name = request["main"]
            getattr(import_module(module), name)(request["folder"])
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            with suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _collect_children(self) -> None:
        """Tell of the processes that have ended."""
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(pid)
            try:
                child.connection.send(b"%d" % os.waitstatus_to_exitcode(status))
            except OSError:  # its task is gone, and nobody else would clean up
                shutil.rmtree(child.folder, ignore_errors=True)
            with suppress(KeyError):  # who has hung up is no longer listened to
                self._selector.unregister(child.connection)
            self._close(child.connection)

    def _close(self, connection: socket.socket) -> None:
        self._open.discard(connection)
        connection.close()

    def _end(self) -> None:
        """Leave nothing: no process, no file."""
        with suppress(OSError), locked(self._address.parent):  # another may have the same path next
            self._address.unlink(missing_ok=True)
            self._address.with_suffix(LOG).unlink(missing_ok=True)
            self._door.close()
            self._address.parent.rmdir()  # unless others are in it
        for pid, child in self._children.items():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            shutil.rmtree(child.folder, ignore_errors=True)


def _end_with(keeper: int) -> None:
    """Have this process killed as soon as the keeper is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)
