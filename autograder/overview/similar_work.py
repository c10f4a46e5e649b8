"""Pairs of answers that are alike beyond what the task, the reference and the majority explain.
Never a verdict.

Solution cells are compared and nothing else. `copydetect` writes them without names, comments and layout, and takes
fingerprints of short stretches (winnowing; Schleimer, Wilkerson and Aiken, SIGMOD 2003). A fingerprint weighs the more
the fewer students have it; what the task or the reference has weighs nothing. Told is the weight of what two students
share, as a part of the weight of all that either of them has.
"""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from copydetect import CodeFingerprint, compare_files

# Letters of the reduced text, in which a name is one letter: one operation with its operands.
K_GRAM = 8
# Of so many neighbouring stretches one is kept.
WINDOW = 2
# Tried on a homework of 13 exercises: of 60 who wrote alone the two most alike had 0.42 to 0.59,
# copies 0.44 to 1.
LEAST_SHARE = 0.56
# Shared ones: short answers agree without anybody's doing.
LEAST_STRETCHES = 20
# Of fewer nobody knows what is usual.
FEWEST_STUDENTS = 10
# Of a cell: the rest is no answer to a homework, and pairs cost time by the letter.
MOST_LETTERS = 20_000
Answers = Mapping[str, str]  # solution cell → source
Stretch = tuple[str, int]  # solution cell, fingerprint
Places = tuple[tuple[int, int], ...]  # (start, end) in a source


@dataclass(frozen=True)
class SimilarCell:
    """One cell of both students, and the places in each that are alike."""

    cell: str
    sources: tuple[str, str]
    places: tuple[Places, Places]


@dataclass(frozen=True)
class SimilarPair:
    """Two students: what they share, as a part of what either has, from 0 to 1; in how many
    stretches; and where.
    """

    students: tuple[str, str]
    share: float
    stretches: int
    cells: tuple[SimilarCell, ...] = field(repr=False)


@dataclass(frozen=True)
class SimilarWork:
    """The pairs of a class that are more alike than can be explained, and what is usual among the
    others.

    Attributes
    ----------
    compared : int
        Students whose answers were compared.
    usual : float
        The median share over all pairs.
    """

    pairs: tuple[SimilarPair, ...]
    compared: int
    usual: float


@dataclass(frozen=True)
class _Prints:
    """A student's fingerprints: by cell, and of all cells together."""

    by_cell: Mapping[str, CodeFingerprint]
    stretches: frozenset[Stretch]


def find_similar_work(
    students: Mapping[str, Answers],
    task: Answers,
    reference: Answers,
    *,
    least_share: float = LEAST_SHARE,
) -> SimilarWork:
    """Return the pairs that are more alike than can be explained, the most alike first.

    Parameters
    ----------
    students : mapping of str to mapping of str to str
        Each student's solution cells.
    task, reference : mapping of str to str
        The same cells as they were given out, and as the reference solves them.
    least_share : float
        From which share on a pair is told.
    """
    if len(students) < FEWEST_STUDENTS:
        return SimilarWork((), len(students), 0.0)
    prints = {}
    for name, answers in students.items():
        prints[name] = _take_prints(answers)
    explained = _take_prints(task).stretches | _take_prints(reference).stretches
    weights = _weigh_stretches(prints.values(), explained)
    shares = []
    pairs = []
    # In the order of their names, so that a page made again shows the same side left.
    for one, other in combinations(sorted(prints), 2):
        shared = prints[one].stretches & prints[other].stretches & weights.keys()
        all_of_both = (prints[one].stretches | prints[other].stretches) & weights.keys()
        whole = _add_weights(all_of_both, weights)
        share = _add_weights(shared, weights) / whole if whole else 0.0
        shares.append(share)
        if share >= least_share and len(shared) >= LEAST_STRETCHES:
            cells = _mark_cells(prints[one], prints[other], shared)
            pairs.append(SimilarPair((one, other), share, len(shared), cells))
    pairs.sort(key=lambda pair: (-pair.share, pair.students))
    return SimilarWork(tuple(pairs), len(prints), sorted(shares)[len(shares) // 2])


def _weigh_stretches(
    prints: Collection[_Prints], explained: frozenset[Stretch]
) -> dict[Stretch, float]:
    """Return the weight of each stretch that is not explained: the logarithm of how rare it is."""
    counts: Counter[Stretch] = Counter()
    for own in prints:
        counts.update(own.stretches)
    weights = {}
    for stretch, count in counts.items():
        # What all have would weigh nothing: the logarithm of one.
        if stretch not in explained and count < len(prints):
            weights[stretch] = math.log(len(prints) / count)
    return weights


def _add_weights(stretches: Iterable[Stretch], weights: Mapping[Stretch, float]) -> float:
    # An exact sum: sets have no order, and rounding must not decide whether a pair is told.
    return math.fsum(weights[stretch] for stretch in stretches)


def _take_prints(answers: Answers) -> _Prints:
    by_cell = {}
    stretches: set[Stretch] = set()
    for cell, source in answers.items():
        text = io.StringIO(source[:MOST_LETTERS])
        own = CodeFingerprint("answer.py", K_GRAM, WINDOW, language="python", fp=text)
        by_cell[cell] = own
        # With its cell: the same loop in two exercises is no sign of anything.
        for number in own.hashes:
            stretches.add((cell, int(number)))
    return _Prints(by_cell, frozenset(stretches))


def _mark_cells(one: _Prints, other: _Prints, shared: Iterable[Stretch]) -> tuple[SimilarCell, ...]:
    """Return the cells in which two students have something in common, with its places in both."""
    by_cell: dict[str, set[int]] = {}
    for cell, number in shared:
        by_cell.setdefault(cell, set()).add(number)
    cells = []
    for cell, numbers in by_cell.items():
        first = _keep_prints(one.by_cell[cell], numbers)
        second = _keep_prints(other.by_cell[cell], numbers)
        _, _, slices = compare_files(first, second)
        places = (_list_places(slices[0]), _list_places(slices[1]))
        cells.append(SimilarCell(cell, (first.raw_code, second.raw_code), places))
    return tuple(cells)


def _keep_prints(prints: CodeFingerprint, numbers: set[int]) -> CodeFingerprint:
    """Return a cell's fingerprints, of them only those that are wanted."""
    # copydetect marks all that two texts share, and making fingerprints anew for a part of a text
    # would give others; so a copy gets fewer of the same.
    kept = CodeFingerprint.__new__(CodeFingerprint)
    vars(kept).update(vars(prints))
    kept.hashes = set()
    kept.hash_idx = {}
    for number in prints.hashes:
        if int(number) in numbers:
            kept.hashes.add(number)
            kept.hash_idx[number] = prints.hash_idx[number]
    return kept


def _list_places(slices: object) -> Places:
    """Return the places of copydetect's array of starts and ends."""
    # Where nothing is alike copydetect gives another shape than two rows.
    starts_and_ends = list(slices) if hasattr(slices, "__iter__") else []
    if len(starts_and_ends) != 2:
        return ()
    places = []
    for start, end in zip(*starts_and_ends, strict=True):
        places.append((int(start), int(end)))
    return tuple(places)
