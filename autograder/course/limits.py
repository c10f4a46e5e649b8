"""How much of the machine one submission may use."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

CLOCK_FACTOR: Final = 4.0  # what only waits uses no processor: it is ended by the clock
MOST_CLOCK_FACTOR: Final = (
    12.0  # ten others on each core still leave an endless loop to its processor time
)


@dataclass(frozen=True)
class Limits:
    """The limits of one submission in its jail.

    Parameters
    ----------
    cell_seconds, call_seconds, seconds : float
        Seconds of processor time for one cell, for one call of a student's function, and for the
        whole submission. By the clock each may take `CLOCK_FACTOR` times as long, and what computes
        all the while, on a machine that is busy with other things, `MOST_CLOCK_FACTOR` times.
    memory_mb : int
        Mebibytes of memory for all processes of the submission together.
    processes : int
        Processes and threads that may exist at the same time.
    disk_mb, inodes : int
        Mebibytes and number of files in the scratch directory.
    output_bytes, rich_bytes : int
        Bytes of text, and bytes of plots and other rich output, kept per cell.

    Raises
    ------
    ValueError
        If a limit is not a positive number.
    """

    cell_seconds: float = 60.0
    call_seconds: float = 20.0
    seconds: float = 300.0
    memory_mb: int = 1024
    processes: int = 64
    disk_mb: int = 64
    inodes: int = 4096
    output_bytes: int = 1 << 20
    rich_bytes: int = 8 << 20

    def __post_init__(self) -> None:
        """Refuse a limit that would stop every submission, or none."""
        for limit in fields(self):
            value = getattr(self, limit.name)
            # NaN and infinity are floats, too, and would limit nothing.
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 < value < float("inf")
            ):
                raise ValueError(f"Limits: {limit.name} is {value!r}; it must be a positive number")
