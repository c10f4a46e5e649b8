"""What the benchmarks share: how they read their options, and how they measure what something costs."""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autograder.jail import Jail
from autograder.jail.processes import list_descendants, measure_processor_time


@dataclass(frozen=True)
class Cost:
    """Seconds that something took: by the clock, and of the processor."""

    wall: float
    cpu: float


def make_parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser of options whose help is what a benchmark says of itself."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def measure_work(work: Callable[[], object], others: Sequence[int] = ()) -> Cost:
    """Do something, and return what it cost: this process, those it has waited for, and others that live on."""

    def used() -> float:
        return measure_own_time() + measure_processor_time(list(others))

    began, before = time.perf_counter(), used()
    work()
    return Cost(time.perf_counter() - began, used() - before)


def measure_own_time() -> float:
    """Return the processor seconds that this process, and its children that have ended, have used."""
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def list_jail_processes(jail: Jail) -> list[int]:
    """Return the processes of a jail as they are now: the warm one, and those of its submissions."""
    return list_descendants(jail._keeper._process.pid)
