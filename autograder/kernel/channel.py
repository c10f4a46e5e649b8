"""One framed message at a time over a stream socket, with a deadline on the whole message."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from autograder.course.errors import KernelDied, OutOfTime, WireError
from autograder.kernel.wire import MAX_BULK, MAX_SKELETON

TICK_SECONDS: Final = 0.1
_HEAD: Final = struct.Struct(">4sQQ")
_MARK: Final = b"nbv1"
_SMALL: Final = 1 << 16


class Channel:
    """One end of the connection between the jail and the trusted side.

    Parameters
    ----------
    sock : socket.socket
        A connected stream socket.
    tick : callable, optional
        Called about every 100 ms while waiting; may raise a KernelError.
    """

    def __init__(self, sock: socket.socket, tick: Callable[[], None] | None = None) -> None:
        self._socket = sock
        self._tick = tick
        sock.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor of the socket, -1 when it is closed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(self, skeleton: bytes, bulk: Sequence[bytes | memoryview], deadline: float | None = None) -> None:
        """Send one message.

        Raises
        ------
        OutOfTime
            If the other end has not taken it by the deadline (of `time.monotonic`).
        KernelDied
            If the other end is gone.
        """
        size = sum(map(len, bulk))
        parts = [_HEAD.pack(_MARK, len(skeleton), size), skeleton, *bulk]
        if size < _SMALL:  # in one piece: each would wake the other side
            parts = [b"".join(parts)]
        for part in parts:
            left = memoryview(part)
            while left:
                try:
                    left = left[self._socket.send(left) :]
                except BlockingIOError:
                    self._wait(select.POLLOUT, deadline)
                except OSError:
                    raise KernelDied("the student's process is gone") from None

    def receive(self, deadline: float | None = None) -> tuple[memoryview, memoryview]:
        """Return the skeleton and the bulk of the next message.

        Raises
        ------
        OutOfTime
            If it is not complete by the deadline (of `time.monotonic`).
        KernelDied
            If the other end is gone.
        WireError
            If it is no message of ours, or too large.
        """
        mark, skeleton, bulk = _HEAD.unpack(self._read(_HEAD.size, deadline))
        if mark != _MARK:
            raise WireError("malformed message (it does not begin as one)")
        if skeleton > MAX_SKELETON or bulk > MAX_BULK:
            raise WireError("a message that is too large")
        body = self._read(skeleton + bulk, deadline)
        return body[:skeleton], body[skeleton:]

    def _read(self, size: int, deadline: float | None) -> memoryview:
        # numpy's empty takes memory from the system only as it is written: a false length costs nothing
        try:
            data = np.empty(size, np.uint8).data
        except MemoryError:
            raise WireError("a message that is too large") from None
        filled = 0
        while filled < size:
            try:
                count = self._socket.recv_into(data[filled:])
            except BlockingIOError:
                self._wait(select.POLLIN, deadline)
                continue
            except OSError:
                count = 0
            if not count:
                raise KernelDied("the student's process is gone")
            filled += count
            if deadline is not None and time.monotonic() > deadline and filled < size:
                raise OutOfTime("the student's process took too long to answer")
        return data

    def _wait(self, event: int, deadline: float | None) -> None:
        poll = select.poll()
        poll.register(self._socket, event)
        while True:
            if self._tick is not None:
                self._tick()
            seconds = TICK_SECONDS if self._tick is not None else 3600.0
            if deadline is not None:
                seconds = min(seconds, deadline - time.monotonic())
                if seconds <= 0:
                    raise OutOfTime("the student's process took too long to answer")
            if poll.poll(seconds * 1000):
                return
