"""What somebody probably meant who wrote a name that there is not: the same answer in every
message.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MAX_NAMED = 20  # a class has too many to name
ALIKE = 0.5  # of 1, from which difference on a name is another one


def find_nearest_name(name: str, names: Iterable[str]) -> str:
    """Return the name that begins like this one or is most like it, empty if none is."""
    # Names may come out of a set: the same slip must get the same answer in every run.
    known = sorted(names)
    # difflib finds `hw01` unlike `hw01_neural_networks`, and it is what people type.
    for longer in known:
        if name and longer.startswith(name):
            return longer
    close = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
    return close[0] if close else ""


def say_nearest_name(name: str, names: Iterable[str]) -> str:
    """Say which of the names was probably meant, or which there are."""
    known = sorted(names)
    nearest = find_nearest_name(name, known)
    if nearest:
        return f"did you mean {nearest!r}?"
    named = ", ".join(known[:MAX_NAMED]) or "none"
    more = f" and {len(known) - MAX_NAMED} more" if known[MAX_NAMED:] else ""
    return f"there is {named}{more}"
