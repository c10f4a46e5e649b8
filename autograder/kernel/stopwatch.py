"""A time limit that interrupts the student's code where it stands, and leaves the process alive."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Final

AGAIN_SECONDS: Final = 0.05
HURRY_SECONDS: Final = 0.00002
_OURS: Final = frozenset(str(Path(__file__).with_name(name)) for name in ("stopwatch.py", "worker.py", "exchange.py"))


class TimeIsUp(BaseException):
    """Raised inside the student's code; `except Exception` does not catch it."""


class Stopwatch:
    """Limits what the main thread of this process does, by wall-clock time.

    Once the time has passed, TimeIsUp is raised again and again until the block is left: a bare `except:` in a loop
    swallows one exception, but not one raised again while the first is being handled. The worker's own code is never
    interrupted, so that no message is left half written.
    """

    def __init__(self) -> None:
        self._limits: list[Limit] = []

    def install(self) -> None:
        """Take the alarm signal of this process."""
        signal.signal(signal.SIGALRM, self._alarm)

    def limit(self, seconds: float) -> Limit:
        """Return a context manager that limits its block to so many seconds; limits nest."""
        return Limit(self._limits, seconds)

    def pause(self) -> float:
        """Stop counting, as the other side is at work; return the seconds left."""
        remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        return remaining

    def go_on(self, remaining: float) -> None:
        """Count on from where `pause` stopped."""
        if remaining:
            signal.setitimer(signal.ITIMER_REAL, remaining, AGAIN_SECONDS)

    def stop(self) -> None:
        """Interrupt the innermost block no more: the student's code is over, its exception is being handled."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self._limits:
            self._limits[-1].over = True

    def _alarm(self, number: int, frame: FrameType | None) -> None:
        if not self._limits or self._limits[-1].over or frame is None or frame.f_code.co_filename in _OURS:
            return
        if self._limits[-1].expired:  # the first was swallowed
            signal.setitimer(signal.ITIMER_REAL, HURRY_SECONDS, HURRY_SECONDS)
        self._limits[-1].expired = True
        raise TimeIsUp


class Limit:
    """One running limit.

    Attributes
    ----------
    expired : bool
        Whether the block has been interrupted.
    over : bool
        Whether it may not be interrupted any more.
    """

    def __init__(self, stack: list[Limit], seconds: float) -> None:
        self.expired = self.over = False
        self._stack = stack
        self._seconds = seconds
        self._outer = 0.0

    def __enter__(self) -> Limit:
        """Start counting."""
        self._stack.append(self)
        self._outer, _ = signal.setitimer(signal.ITIMER_REAL, self._seconds, AGAIN_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop counting, and let an outer limit count on."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.over = True
        self._stack.remove(self)
        if self._outer:
            signal.setitimer(signal.ITIMER_REAL, self._outer, AGAIN_SECONDS)
