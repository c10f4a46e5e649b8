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
# Whoever sends something else is told at once, not after a wait for bytes that never come.
_MARK: Final = b"nbv2"
# Most messages are smaller: one `recv` gets all of one.
_SMALL: Final = 1 << 16
_LONG_WAIT: Final = 3600.0


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
        self._ahead = b""  # what has arrived beyond the end of the last message
        self._polls: dict[int, select.poll] = {}
        # A blocking send of a large message would not end at the deadline.
        sock.setblocking(False)
        for event in (select.POLLIN, select.POLLOUT):
            self._polls[event] = select.poll()
            self._polls[event].register(sock, event)

    def fileno(self) -> int:
        """Return the descriptor of the socket, -1 when it is closed."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def send(
        self, skeleton: bytes, bulk: Sequence[bytes | memoryview], deadline: float | None = None
    ) -> None:
        """Send one message.

        Raises
        ------
        OutOfTime
            If the other end has not taken it by the deadline (of `time.monotonic`).
        KernelDied
            If the other end is gone.
        """
        size = sum(map(len, bulk))
        parts: list[bytes | memoryview] = [_HEAD.pack(_MARK, len(skeleton), size), skeleton, *bulk]
        if size < _SMALL:
            # In one piece, as each would wake the other side; a large one is not worth the copy.
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
        arrived = self._ahead
        while len(arrived) < _HEAD.size:
            arrived += self._receive_some(deadline)
        mark, skeleton, bulk = _HEAD.unpack_from(arrived)
        if mark != _MARK:
            raise WireError("malformed message (it does not begin as one)")
        # Before anything is made room for.
        if skeleton > MAX_SKELETON or bulk > MAX_BULK:
            raise WireError("a message that is too large")
        end = _HEAD.size + skeleton + bulk
        self._ahead = arrived[end:]
        body = memoryview(arrived)[_HEAD.size : end]
        if len(body) < skeleton + bulk:
            body = self._receive_rest(body, skeleton + bulk, deadline)
        return body[:skeleton], body[skeleton:]

    def _receive_some(self, deadline: float | None) -> bytes:
        """Wait for bytes and return what is there of them: mostly a whole message."""
        self._wait(select.POLLIN, deadline)
        try:
            data = self._socket.recv(_SMALL)
        except BlockingIOError:
            return b""
        except OSError:
            # The other end died with bytes of ours unread; that is an end like any other.
            data = b""
        if not data:
            raise KernelDied("the student's process is gone")
        return data

    def _receive_rest(self, begun: memoryview, size: int, deadline: float | None) -> memoryview:
        # numpy's empty takes memory from the system only as it is written: a false length costs
        # nothing.
        try:
            data = np.empty(size, np.uint8).data
        except MemoryError:
            raise WireError("a message that is too large") from None
        filled = len(begun)
        data[:filled] = begun
        while filled < size:
            self._wait(select.POLLIN, deadline)
            try:
                count = self._socket.recv_into(data[filled:])
            except BlockingIOError:
                continue
            except OSError:
                count = 0
            if not count:
                raise KernelDied("the student's process is gone")
            filled += count
        return data

    def _wait(self, event: int, deadline: float | None) -> None:
        """Wait until the socket is ready, and not beyond the deadline even if it always is."""
        poll = self._polls[event]
        while True:
            seconds = _LONG_WAIT if self._tick is None else TICK_SECONDS
            # Before the socket is asked: who drips bytes keeps it ready for ever.
            if deadline is not None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise OutOfTime("the student's process took too long to answer")
                seconds = min(seconds, left)
            if poll.poll(seconds * 1000):
                return
            if self._tick is not None:
                self._tick()
