"""The global random states of numpy and Python, which travel with every call as if there were one
kernel.

Asking numpy or Python for a state takes longer than all the rest of a call. Whether one has changed is therefore read
from memory: numpy documents where its state lies, and Python's is compared once with what Python says.
"""

from __future__ import annotations

import ctypes
import random
import struct
from typing import Any, Final

import numpy as np

from autograder.course.errors import WireError
from autograder.kernel.wire import is_list_of

WORDS: Final = 624
_STATE_BYTES: Final = 4 * WORDS
_STATE_AND_POSITION: Final = _STATE_BYTES + 4
# In CPython the position, and then the words, lie behind it.
_OBJECT_HEAD: Final = object.__basicsize__
# Of the form of `random.getstate`.
_PYTHON_VERSION: Final = 3
_U4: Final = np.dtype("<u4")


class RandomStates:
    """numpy's and Python's global random states, copied and set only where they are not what they
    were.
    """

    def __init__(self) -> None:
        self._copied: tuple[Any, Any] = (None, None)
        self._marks: tuple[object, object] | None = None

    def copy(self) -> tuple[Any, Any]:
        """Return both states, the very ones of the last time where nothing has changed."""
        if self.have_changed():
            self._remember((np.random.get_state(), random.getstate()))
        return self._copied

    def set(self, states: tuple[Any, Any]) -> None:
        """Bring both generators to the states of an earlier `copy`, of any process."""
        if not self.have_changed() and _are_equal(states, self._copied):
            return
        np.random.set_state(states[0])
        random.setstate(states[1])
        self._remember(states)

    def have_changed(self) -> bool:
        """Whether numbers may have been drawn since the last `copy` or `set`."""
        return self._marks is None or self._marks != (_numpy_mark(), _python_mark())

    def _remember(self, states: tuple[Any, Any]) -> None:
        self._copied = states
        self._marks = _numpy_mark(), _python_mark()
        numpy_state = states[0]
        if None in self._marks or numpy_state[0] != "MT19937" or numpy_state[3]:
            # With a normal number in store, drawing it changes nothing that the mark shows.
            self._marks = None


def _are_equal(states: tuple[Any, Any], others: tuple[Any, Any]) -> bool:
    if states is others:
        return True
    (numpy_state, python_state), (numpy_other, python_other) = states, others
    if numpy_state[0] != numpy_other[0] or numpy_state[2:] != numpy_other[2:]:
        return False
    return np.array_equal(numpy_state[1], numpy_other[1]) and bool(python_state == python_other)


class GlobalRandom:
    """What this process's global random states were when both sides last agreed on them."""

    def __init__(self) -> None:
        self._numpy_mark: object = None
        self._python_mark: object = None

    def forget_agreement(self) -> None:
        """Let the next news tell everything."""
        self._numpy_mark = self._python_mark = None

    def settle(self) -> None:
        """Regard the present states as agreed upon."""
        self.tell_news()

    def tell_news(self) -> list[Any] | None:
        """Return the states that changed since the last agreement, None if none did."""
        numpy_state = python_state = None
        python_mark = _python_mark()
        if python_mark is None or python_mark != self._python_mark:
            self._python_mark = python_mark
            version, words, gauss = random.getstate()
            python_state = [version, np.array(words, _U4).tobytes(), gauss]
        numpy_mark = _numpy_mark()
        if numpy_mark is None or numpy_mark != self._numpy_mark:
            numpy_state = plain_numpy_state(np.random.get_state())
            # A normal number in store is drawn without a trace in the mark.
            self._numpy_mark = None if numpy_state is None or numpy_state[2] else numpy_mark
        return None if numpy_state is None and python_state is None else [numpy_state, python_state]

    def take_news(self, news: object) -> None:
        """Take over what the other side's `tell_news` said.

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
            np.random.set_state(("MT19937", *check_numpy_state(numpy_state)))
            self._numpy_mark = None if numpy_state[2] else _numpy_mark()
        if python_state is not None:
            random.setstate(_check_python_state(python_state))
            self._python_mark = _python_mark()


def plain_numpy_state(state: Any) -> list[Any] | None:
    """Return a Mersenne state of `get_state` as [bytes, position, has_gauss, gauss], None for
    another generator.
    """
    if type(state) is not tuple or state[0] != "MT19937":
        return None
    words = np.ascontiguousarray(state[1], _U4)
    return [words.tobytes(), int(state[2]), int(state[3]), float(state[4])]


def check_numpy_state(state: object) -> tuple[Any, int, int, float]:
    """Return the state if numpy can live with it.

    For a wrong position numpy would read outside its memory; from words that stand still it would
    wait without end for a number that fits.

    Raises
    ------
    WireError
        If it cannot.
    """
    if is_list_of(state, bytes, int, int, float):
        data, position, has_gauss, gauss = state
        if len(data) == _STATE_BYTES and 0 <= position <= WORDS and has_gauss in (0, 1):
            words = np.frombuffer(data, _U4)
            if _moves(int(words[0]), words[1:].any()):
                return words, position, has_gauss, gauss
    raise WireError("malformed message (numpy's random state)")


def _check_python_state(state: object) -> tuple[int, tuple[int, ...], float | None]:
    if type(state) is list and len(state) == 3:
        version, data, gauss = state
        right = (
            version == _PYTHON_VERSION
            and type(version) is int
            and (gauss is None or type(gauss) is float)
        )
        if right and type(data) is bytes and len(data) == _STATE_AND_POSITION:
            words = struct.unpack(f"<{WORDS + 1}I", data)
            if words[-1] <= WORDS and _moves(words[0], any(words[1:-1])):
                return version, words, gauss
    raise WireError("malformed message (Python's random state)")


def _moves(first: int, others: object) -> bool:
    """Whether a Mersenne twister in this state ever gives anything but zeros: of its first word one
    bit counts.
    """
    return bool(first >> 31 or others)


def _numpy_mark() -> bytes | None:
    """Return the words and position of numpy's global Mersenne twister, None if it is another
    generator.
    """
    generator = np.random.get_bit_generator()  # type: ignore[attr-defined]
    if type(generator) is not np.random.MT19937:
        return None
    return ctypes.string_at(generator.ctypes.state_address, _STATE_AND_POSITION)


_python_generator: Final[Any] = random._inst


def _find_python_state() -> int:
    """Return the address of the state of Python's global generator, 0 where it does not lie where
    it is expected.
    """
    # Read where it is expected and compared: another Python may keep it elsewhere.
    address = id(_python_generator) + _OBJECT_HEAD
    if random.Random.__basicsize__ < _OBJECT_HEAD + _STATE_AND_POSITION:
        return 0
    position, *words = struct.unpack(
        f"={WORDS + 1}I", ctypes.string_at(address, _STATE_AND_POSITION)
    )
    _, known, _ = random.getstate()
    return address if (*words, position) == known else 0


_python_address: Final = _find_python_state()


def _python_mark() -> object:
    """Return what changes whenever Python's state does, None where only Python itself can tell."""
    if not _python_address:
        return None
    return ctypes.string_at(_python_address, _STATE_AND_POSITION), _python_generator.gauss_next
