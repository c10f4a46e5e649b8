"""Imports of much that is there to stay, without the collections of garbage that they would cause."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def import_to_stay() -> Iterator[None]:
    """Import modules within it: no collection looks at them, neither now nor later."""
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
