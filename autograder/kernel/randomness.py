"""The global random states of numpy and Python, which travel with every call as if there were one kernel."""

from __future__ import annotations

import ctypes
import random
from typing import Any, Final

import numpy as np

from autograder.course.errors import WireError

_WORDS: Final = 624
_U4: Final = np.dtype("uint32")


class GlobalRandom:
    """What this process's global random states were when both sides last agreed on them."""

    def __init__(self) -> None:
        self._numpy_mark: object = None
        self._python_mark: object = None

    def doubt(self) -> None:
        """Forget the agreement: the next news tell everything."""
        self._numpy_mark = self._python_mark = None

    def settle(self) -> None:
        """Regard the present states as agreed upon."""
        self.news()

    def news(self) -> list[Any] | None:
        """Return the states that changed since the last agreement, None if none did."""
        numpy_state = python_state = None
        mark = _python_mark()
        if mark != self._python_mark:
            self._python_mark = mark
            version, words, gauss = random.getstate()
            python_state = [version, list(words), gauss]
        numpy_mark = _numpy_mark()
        if numpy_mark is None or numpy_mark != self._numpy_mark:
            numpy_state = numpy_state_of(np.random.get_state())
            # with a normal number in store, drawing it changes nothing that the mark shows
            self._numpy_mark = None if numpy_state is None or numpy_state[2] else numpy_mark
        return None if numpy_state is None and python_state is None else [numpy_state, python_state]

    def agree(self, news: object) -> None:
        """Take over what the other side's `news` said.

        Raises
        ------
        WireError
            If it is no pair of random states.
        """
        if news is None:
            return
        if type(news) is not list or len(news) != 2:
            raise WireError("malformed message (random states)")
        numpy_state, python_state = news
        if numpy_state is not None:
            np.random.set_state(("MT19937", *checked_numpy_state(numpy_state)))
            self._numpy_mark = None if numpy_state[2] else _numpy_mark()
        if python_state is not None:
            random.setstate(_checked_python_state(python_state))
            self._python_mark = _python_mark()


def numpy_state_of(state: Any) -> list[Any] | None:
    """Return a Mersenne state of `get_state` as [words, position, has_gauss, gauss], None for another generator."""
    if type(state) is not tuple or state[0] != "MT19937":
        return None
    return [state[1], int(state[2]), int(state[3]), float(state[4])]


def checked_numpy_state(state: object) -> tuple[Any, int, int, float]:
    """Return the state if numpy can live with it.

    For a wrong position numpy would read outside its memory; from words that stand still it would wait without end
    for a number that fits.

    Raises
    ------
    WireError
        If it cannot.
    """
    if type(state) is list and [type(field) for field in state] == [np.ndarray, int, int, float]:
        words, position, has_gauss, gauss = state
        right = words.dtype == _U4 and words.shape == (_WORDS,) and _moves(words[0], words[1:].any())
        if right and 0 <= position <= _WORDS and has_gauss in (0, 1):
            return words, position, has_gauss, gauss
    raise WireError("malformed message (numpy's random state)")


def _checked_python_state(state: object) -> tuple[int, tuple[int, ...], float | None]:
    if type(state) is list and len(state) == 3:
        version, words, gauss = state
        right = version == 3 and type(version) is int and type(words) is list and len(words) == _WORDS + 1
        right = right and all(type(word) is int and 0 <= word < 2**32 for word in words) and words[-1] <= _WORDS
        if right and _moves(words[0], any(words[1:-1])) and (gauss is None or type(gauss) is float):
            return version, tuple(words), gauss
    raise WireError("malformed message (Python's random state)")


def _moves(first: int, others: object) -> bool:
    """Whether a Mersenne twister in this state ever gives anything but zeros: of its first word one bit counts."""
    return bool(first >> 31 or others)


def _python_mark() -> object:
    """Return what changes whenever Python's state does: its position, its first words, its stored normal number."""
    _, words, gauss = random.getstate()
    return words[-1], words[1:4], gauss


def _numpy_mark() -> bytes | None:
    """Return the words and position of numpy's global Mersenne twister, None if it is another generator.

    Read from memory through the generator's documented ctypes interface: `get_state` takes 300 times as long.
    """
    generator = np.random.get_bit_generator()  # type: ignore[attr-defined]
    if type(generator) is not np.random.MT19937:
        return None
    return ctypes.string_at(generator.ctypes.state_address, 4 * (_WORDS + 1))


def generator_state(generator: Any) -> list[Any] | None:
    """Return the state of a PCG64 Generator or a Mersenne RandomState as plain values, None for any other."""
    if type(generator) is np.random.RandomState:
        state = numpy_state_of(generator.get_state())
        return None if state is None else [bytes(state[0].data), *state[1:]]
    if type(generator) is np.random.Generator and type(generator.bit_generator) is np.random.PCG64:
        now = generator.bit_generator.state
        return [now["state"]["state"], now["state"]["inc"], now["has_uint32"], now["uinteger"]]
    return None


def set_generator_state(generator: Any, state: object) -> None:
    """Bring a generator of either kind to a state of `generator_state`.

    Raises
    ------
    WireError
        If it is no such state.
    """
    if type(generator) is np.random.RandomState:
        generator.set_state(("MT19937", *_checked_random_state(state)))
    elif type(state) is list and [type(field) for field in state] == [int] * 4 and _in_range(state):
        position, increment, has_uint32, uinteger = state
        generator.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": position, "inc": increment},
            "has_uint32": has_uint32,
            "uinteger": uinteger,
        }
    else:
        raise WireError("malformed message (a generator's state)")


def make_generator(state: object) -> np.random.Generator:
    """Return a Generator in a state of `generator_state`."""
    generator = np.random.Generator(np.random.PCG64(0))
    set_generator_state(generator, state)
    return generator


def make_random_state(state: object) -> np.random.RandomState:
    """Return a RandomState in a state of `generator_state`."""
    generator = np.random.RandomState(0)
    set_generator_state(generator, state)
    return generator


def _checked_random_state(state: object) -> tuple[Any, int, int, float]:
    if type(state) is not list or not state or type(state[0]) is not bytes or len(state[0]) != 4 * _WORDS:
        raise WireError("malformed message (a generator's state)")
    return checked_numpy_state([np.frombuffer(state[0], _U4), *state[1:]])


def _in_range(state: list[int]) -> bool:
    limits = (2**128, 2**128, 2, 2**32)
    odd = state[1] % 2 == 1  # else the generator soon repeats itself
    return odd and all(0 <= field < limit for field, limit in zip(state, limits, strict=True))
