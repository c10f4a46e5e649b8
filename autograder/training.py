"""Training followed step by step: where right steps lead from a start, and which batches a loop
must have used.

For hidden tests of functions that train. Whether a loop is right is not seen from where it ends: a
closed form ends at a good place, too. So a test takes the start of a run and compares what comes
after each of some steps.

The start of a run is what the same call returns with a learning rate of 0: the same seed, the same
number of steps, the same batch size. Then whoever draws the batches before the weights draws the
same weights again::

    np.random.seed(3)
    start, _ = train(X, Y, layers, n_iter=4, lr=0.0)
    np.random.seed(3)
    end, losses = train(X, Y, layers, n_iter=4, lr=0.3)
    path = follow(start, plain_steps(slope, 0.3), X, Y, [None] * 4)
    assert same_movement(end, path.end, start)

In which order a loop of mini-batches takes the examples is its own affair: `find_batches` tries
every way to cut a few examples into batches. A start that differs from call to call cannot be had
twice; `walk_back` undoes the steps instead, and something that is known of the start, biases of 0
or the recorded losses, is compared there.

Parameters are dictionaries of arrays. A *slope* is a function `slope(parameters, X, Y)` that
returns the loss and a dictionary of its gradients, under the names of the parameters. An *update*
is a function `update(parameters, memory, X, Y)` that returns the parameters after one step and the
memory for the next; the memory is None before the first.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[Any]]
Parameters = Mapping[str, Numbers]
Slope = Callable[[Parameters, Numbers, Numbers], tuple[float, Parameters]]
Update = Callable[[Parameters, Any, Numbers, Numbers], tuple[Parameters, Any]]
Batch = tuple[int, ...]
Epoch = tuple[Batch, ...]

# Of the whole movement: single precision is far more exact, another order of the batches far less
RTOL = 1e-4
ATOL = 1e-8
CLOSE = 1e-10
ROUNDS_MORE = 10  # from close by, ten rounds more reach the limit of rounding
MAX_ROUNDS = 200  # of one step back; those of the course need about 20


@dataclass(frozen=True)
class Path:
    """A training as it goes when every step is right.

    Attributes
    ----------
    states : tuple of mapping
        The parameters before the first step and after every step: one more than there are steps.
    batches : tuple
        The rows of each step; None stands for all of them.
    epochs : int
        In how many passes of equally many steps the steps come.
    """

    states: tuple[Parameters, ...]
    batches: tuple[Batch | None, ...]
    epochs: int = 1

    @property
    def start(self) -> Parameters:
        """The parameters before the first step."""
        return self.states[0]

    @property
    def end(self) -> Parameters:
        """The parameters after the last step."""
        return self.states[-1]


def arrays(parameters: Any, names: Iterable[str]) -> dict[str, Numbers]:
    """Return some parameters of a student's dictionary as arrays of floats, copied."""
    return {name: np.array(parameters[name], dtype=float) for name in names}


def movement(end: Parameters, start: Parameters) -> float:
    """Return the largest distance by which any entry of any parameter has moved; nan where one is
    nan.
    """
    # NumPy's maximum of them all, not Python's: that would lose a nan.
    return float(np.max([np.max(np.abs(end[name] - start[name])) for name in start]))


def same(one: Parameters, other: Parameters) -> bool:
    """Whether all parameters of `one` are those of `other`, to rounding of single precision."""
    return all(np.allclose(value, other[name], rtol=1e-5, atol=1e-7) for name, value in one.items())


def same_movement(got: Parameters, wanted: Parameters, start: Parameters) -> bool:
    """Whether two runs from one start ended at the same place, measured by how far the way was."""
    return bool(movement(got, wanted) <= RTOL * movement(wanted, start) + ATOL)


def moved(end: Parameters, start: Parameters) -> list[str]:
    """Return the names of the parameters that are not where they were."""
    names = []
    for name, value in start.items():
        if not np.allclose(end[name], value, rtol=1e-9, atol=1e-12):
            names.append(name)
    return names


def plain_steps(slope: Slope, rate: float, moving: Iterable[str] | None = None) -> Update:
    """Return the update of gradient descent, w - rate * gradient.

    Parameters
    ----------
    slope : callable
        Loss and gradients.
    rate : float
        The learning rate.
    moving : iterable of str, optional
        The parameters that take part, all unless given. With those alone that a student's loop
        moves, the rest of a loop that forgets the biases can still be judged.
    """
    names = None if moving is None else frozenset(moving)

    def update(
        parameters: Parameters, memory: Any, X: Numbers, Y: Numbers
    ) -> tuple[Parameters, Any]:
        _, gradients = slope(parameters, X, Y)
        stepped = dict(parameters)
        for name in parameters if names is None else names:
            stepped[name] = parameters[name] - rate * gradients[name]
        return stepped, memory

    return update


def follow(
    start: Parameters,
    update: Update,
    X: Numbers,
    Y: Numbers,
    batches: Sequence[Batch | None],
    epochs: int = 1,
) -> Path:
    """Take one step for each batch, in the given order, and return the path."""
    states = [start]
    memory = None
    for batch in batches:
        rows = slice(None) if batch is None else list(batch)
        state, memory = update(states[-1], memory, X[rows], Y[rows])
        states.append(state)
    return Path(tuple(states), tuple(batches), epochs)


def sizes_of(M: int, batch_size: int) -> Batch:
    """Return the sizes of the batches of an epoch: as many full ones as there are, then the rest of
    the M examples.
    """
    rest = M % batch_size
    return (batch_size,) * (M // batch_size) + ((rest,) if rest else ())


def cuts(M: int, sizes: Sequence[int]) -> Iterator[Epoch]:
    """Yield every way to cut M examples into batches of these sizes, whichever size comes first.

    The order of the batches counts, that of the examples within a batch does not. Sizes that do
    not add up to M leave examples out.
    """
    for arrangement in sorted(set(itertools.permutations(sizes))):
        yield from _cuts(frozenset(range(M)), arrangement)


def _cuts(rows: frozenset[int], sizes: Sequence[int]) -> Iterator[Epoch]:
    if not sizes:
        yield ()
        return
    for batch in itertools.combinations(sorted(rows), sizes[0]):
        for others in _cuts(rows - set(batch), sizes[1:]):
            yield (batch, *others)


def find_batches(
    start: Parameters,
    end: Parameters,
    update: Update,
    X: Numbers,
    Y: Numbers,
    batch_size: int,
    epochs: int = 1,
    sizes: Sequence[int] | None = None,
) -> Path | None:
    """Find the batches, in their order, by which right steps lead from the start to the end.

    Every way is tried, so M and `epochs` have to be small: 7 examples in batches of 3 are 420
    ways, two epochs of 3 single examples 36.

    Parameters
    ----------
    start, end : mapping of str to array
        The parameters before the first step and after the last one.
    update : callable
        One right step.
    X, Y : array
        The data, an example in each row.
    batch_size, epochs : int
        How the loop was called.
    sizes : sequence of int, optional
        The sizes of the batches of an epoch, where others than the right ones are looked for.

    Returns
    -------
    Path or None
        The way that comes closest to the end, None if not even that one leads there.
    """
    M = len(X)
    steps = _shared(list(cuts(M, sizes_of(M, batch_size) if sizes is None else sizes)))
    best: tuple[float, tuple[Parameters, ...], tuple[Batch, ...]] | None = None
    for states, batches in _ways(start, None, update, X, Y, steps, steps, epochs):
        miss = movement(states[-1], end)
        if best is None or miss < best[0]:
            best = miss, states, batches
        # None of the other ways comes closer.
        if miss == 0:
            break
    if best is None or not same_movement(best[1][-1], end, start):
        return None
    return Path(best[1], best[2], epochs)


Tree = dict[Batch, Any]
Step = Callable[[Parameters, Any, Numbers, Numbers], tuple[Parameters, Any] | None]


def _shared(ways: Sequence[Epoch]) -> Tree:
    """Return ways as a tree of their first batches, so that what begins alike is computed once."""
    tree: Tree = {}
    for way in ways:
        branch = tree
        for batch in way:
            branch = branch.setdefault(batch, {})
    return tree


def _ways(
    state: Parameters,
    memory: Any,
    update: Step,
    X: Numbers,
    Y: Numbers,
    tree: Tree,
    epoch: Tree,
    epochs: int,
) -> Iterator[tuple[tuple[Parameters, ...], tuple[Batch, ...]]]:
    """Yield the states and the batches of every way through the rest of an epoch and the epochs
    after it.

    A step that cannot be made ends its ways.
    """
    if not tree:
        if epochs > 1:
            yield from _ways(state, memory, update, X, Y, epoch, epoch, epochs - 1)
        else:
            yield (state,), ()
        return
    for batch, rest in tree.items():
        rows = list(batch)
        stepped = update(state, memory, X[rows], Y[rows])
        if stepped is None:
            continue
        after, kept = stepped
        for states, batches in _ways(after, kept, update, X, Y, rest, epoch, epochs):
            yield (state, *states), (batch, *batches)


def find_batches_back(
    end: Parameters,
    is_start: Callable[[Parameters], bool],
    slope: Slope,
    rate: float,
    X: Numbers,
    Y: Numbers,
    batch_size: int,
    epochs: int = 1,
) -> Path | None:
    """Find the batches whose steps, undone, lead back to something that may be a start; None if
    none do.

    Where the start is another one in every call, this takes the place of `find_batches`. It knows
    plain gradient descent only, and takes some thirty times as long.
    """

    def undo(
        after: Parameters, memory: Any, x: Numbers, y: Numbers
    ) -> tuple[Parameters, Any] | None:
        before = _step_back(after, slope, x, y, rate)
        return None if before is None else (before, memory)

    steps = _shared([way[::-1] for way in cuts(len(X), sizes_of(len(X), batch_size))])
    for states, batches in _ways(end, None, undo, X, Y, steps, steps, epochs):
        if is_start(states[-1]):
            return Path(states[::-1], batches[::-1], epochs)
    return None


def walk_back(
    end: Parameters,
    slope: Slope,
    X: Numbers,
    Y: Numbers,
    rate: float,
    batches: Sequence[Batch | None],
) -> Path | None:
    """Undo steps of plain gradient descent and return the path, its start first; None where that
    does not succeed.

    A step back solves before = after + rate * gradient(before) by repeating it, which converges
    while the rate times the curvature of the loss is below 1. Roundings grow on the way back: undo
    few steps, five rather than fifty.
    """
    states = [end]
    for batch in reversed(batches):
        rows = slice(None) if batch is None else list(batch)
        before = _step_back(states[0], slope, X[rows], Y[rows], rate)
        if before is None:
            return None
        states.insert(0, before)
    return Path(tuple(states), tuple(batches))


def _step_back(
    after: Parameters, slope: Slope, X: Numbers, Y: Numbers, rate: float
) -> Parameters | None:
    before = after
    close_by = 0
    for _ in range(MAX_ROUNDS):
        # That is how it fails to converge.
        with np.errstate(over="ignore", invalid="ignore"):
            _, gradients = slope(before, X, Y)
            again = {name: value + rate * gradients[name] for name, value in after.items()}
        change = movement(again, before)
        before = again
        close_by += change < CLOSE
        if close_by > ROUNDS_MORE:
            return before
        if not np.isfinite(change):
            return None
    return None


def records(path: Path, slope: Slope, X: Numbers, Y: Numbers) -> list[Numbers]:
    """Return the lists of losses that a right loop may have recorded on a path.

    They are of all examples or of the step's batch, before or after the step; a number for every
    step, or for every epoch their mean, or of all examples the last of the epoch. Of all examples
    the loss before the first step may stand in front. The loss of an epoch's last batch alone is
    none of them.
    """
    steps = len(path.batches) // path.epochs
    rows = [slice(None) if batch is None else list(batch) for batch in path.batches]
    weights = np.array([len(X[part]) for part in rows]).reshape(path.epochs, steps)
    whole = np.array([slope(state, X, Y)[0] for state in path.states])
    before = np.empty(len(rows))
    after = np.empty(len(rows))
    for step, part in enumerate(rows):
        before[step] = slope(path.states[step], X[part], Y[part])[0]
        after[step] = slope(path.states[step + 1], X[part], Y[part])[0]
    right = [whole, whole[::steps], whole[:-1:steps], whole[steps::steps]]
    for values in (before, after, whole[:-1], whole[1:]):
        by_epoch = values.reshape(path.epochs, steps)
        right += [values, by_epoch.mean(axis=1), np.average(by_epoch, axis=1, weights=weights)]
    return right


def is_recorded(losses: Any, right: Iterable[Numbers], rtol: float = 1e-4) -> bool:
    """Whether recorded losses are one of the right lists."""
    got = np.asarray(losses, dtype=float)
    return any(
        got.shape == values.shape and np.allclose(got, values, rtol=rtol, atol=1e-7)
        for values in right
    )
