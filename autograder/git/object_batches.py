"""The one reader of what `git cat-file --batch` prints: each object asked for, with its bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def split_objects(printed: bytes, asked: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
    """Yield the objects that were asked for, in that order, with their bytes.

    None stands for one that the store does not have, and for all that come after a damaged one: git ends there.
    """
    position = 0
    for name in asked:
        end = printed.find(b"\n", position)
        if end < 0:
            yield name, None
            continue
        about = printed[position:end].split()
        position = end + 1
        if len(about) != 3:  # "NAME missing"
            yield name, None
            continue
        size = int(about[2])
        yield name, printed[position : position + size]
        position += size + 1  # a newline of git's own behind each
