"""A time limit that interrupts the student's code where it stands, and leaves the process alive."""

from __future__ import annotations

import ctypes
import signal
import time
from pathlib import Path
from types import CodeType, FrameType
from typing import Final

from autograder.course.limits import CLOCK_FACTOR, MOST_CLOCK_FACTOR

AGAIN_SECONDS: Final = 0.05
# Of a core: what gets less of one does not compute but wait.
STARVED_SHARE: Final = 0.05
PROCESSOR: Final = signal.ITIMER_PROF
CLOCK: Final = signal.ITIMER_REAL
SIGNALS: Final = (signal.SIGPROF, signal.SIGALRM)
# Interrupting these would leave half a message on the wire.
_OURS: Final = frozenset(
    str(Path(__file__).with_name(name)) for name in ("stopwatch.py", "worker.py", "exchange.py")
)

# No timer strikes at the right moment: a slow one comes after `except: pass`, and a quick one leaves
# a machine that takes longer for a signal no time for anything else. Python makes pending calls
# where it looks for signals, after it has looked: the first time is in the handler, which makes the
# call, the next in the student's code, where the signal is heard.
_add_pending_call = ctypes.pythonapi.Py_AddPendingCall
_add_pending_call.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
_hear_signal: Final = ctypes.cast(ctypes.pythonapi.PyErr_SetInterruptEx, ctypes.c_void_p)

Remaining = tuple[float, float]


class TimeIsUp(BaseException):
    """Raised inside the student's code; `except Exception` does not catch it."""


class Stopwatch:
    """Limits what this process does, by its processor time, with a generous clock behind it for
    what only waits.

    Once the time has passed, TimeIsUp is raised in the main thread again and again until the block is left: a bare
    `except:` in a loop swallows one exception, but not one raised again while the first is being handled. The worker's
    own code is never interrupted, so that no message is left half written.
    """

    def __init__(self) -> None:
        self._limits: list[Limit] = []

    def install(self) -> None:
        """Take the signals of both timers."""
        for number in SIGNALS:
            signal.signal(number, self._alarm)

    def limit(self, seconds: float) -> Limit:
        """Return a context manager that limits its block to so many seconds of processor time;
        limits nest.
        """
        return Limit(self._limits, seconds)

    def pause(self) -> Remaining:
        """Stop counting, as the other side is at work; return the seconds left, of the processor
        and by the clock.
        """
        return _set_timers(0, 0)

    def go_on(self, remaining: Remaining) -> None:
        """Count on from where `pause` stopped."""
        if any(remaining):
            _set_timers(*remaining)

    def stop(self) -> None:
        """Interrupt the innermost block no more: the student's code is over, its exception is being
        handled.
        """
        _set_timers(0, 0)
        if self._limits:
            self._limits[-1].over = True

    @property
    def ended_by_clock(self) -> bool:
        """Whether the clock, and no processor time, interrupted the innermost block."""
        return bool(self._limits) and self._limits[-1].by_clock

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        if (
            not self._limits
            or self._limits[-1].over
            or frame is None
            or frame.f_code.co_filename in _OURS
        ):
            return
        limit = self._limits[-1]
        if limit.expired:
            # The first was swallowed; the next have to strike while one is being handled.
            place = (frame.f_code, frame.f_lasti)
            caught_there = place == limit.struck_last
            limit.struck_last = None if caught_there else place
            _add_pending_call(_hear_signal, signal.SIGALRM)
            # Python 3.12 counts the jump out of a handler to its `try`: there it is caught for ever.
            if caught_there:
                return
        elif number == signal.SIGALRM:
            if limit.is_kept_waiting():
                return
            limit.by_clock = True
        limit.expired = True
        # No call stands between the pending one and here: what is heard in this frame is ignored.
        raise TimeIsUp


class Limit:
    """One running limit.

    Attributes
    ----------
    seconds : float
        Of processor time; by the clock it is `CLOCK_FACTOR` times as long.
    expired : bool
        Whether the block has been interrupted.
    by_clock : bool
        Whether it was interrupted by the clock, before its processor time was over.
    struck_last : tuple of code and int, or None
        Where it was interrupted the last time, after it had gone on: the place in its code.
    over : bool
        Whether it may not be interrupted any more.
    """

    def __init__(self, stack: list[Limit], seconds: float) -> None:
        self.seconds = seconds
        self.expired = False
        self.by_clock = False
        self.struck_last: tuple[CodeType, int] | None = None
        self.over = False
        self._stack = stack
        self._outer: Remaining = (0.0, 0.0)
        self._began = 0.0
        self._used = 0.0

    def __enter__(self) -> Limit:
        """Start counting."""
        self._stack.append(self)
        self._began = time.monotonic()
        self._used = time.process_time()
        self._outer = _set_timers(self.seconds, CLOCK_FACTOR * self.seconds)
        return self

    def is_kept_waiting(self) -> bool:
        """Whether it computes as much as a busy machine lets it, and may go on for a while."""
        elapsed = time.monotonic() - self._began
        if elapsed > MOST_CLOCK_FACTOR * self.seconds:
            return False
        return time.process_time() - self._used > STARVED_SHARE * elapsed

    def __exit__(self, *_: object) -> None:
        """Stop counting, and let an outer limit count on."""
        _set_timers(0, 0)
        self.over = True
        self._stack.remove(self)
        if any(self._outer):
            _set_timers(*self._outer)


def _set_timers(processor: float, clock: float) -> Remaining:
    """Set both timers, 0 for never; return what was left of them."""
    processor_left, _ = signal.setitimer(PROCESSOR, processor, AGAIN_SECONDS)
    clock_left, _ = signal.setitimer(CLOCK, clock, AGAIN_SECONDS)
    return processor_left, clock_left
