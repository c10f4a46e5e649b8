"""numpy's generators of random numbers: given to the student's code they draw on, here, where they
stopped there.

The student's own stay in the jail, as handles: drawing from a copy would leave the original where it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.course.errors import WireError
from autograder.kernel.randomness import check_numpy_state, plain_numpy_state
from autograder.kernel.value_types import ValueType, check_fields
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

# Of the position, the increment, has_uint32 and uinteger.
_GENERATOR_LIMITS = (2**128, 2**128, 2, 2**32)


def _snapshot_generator(generator: Any) -> tuple[int, ...] | None:
    """Return the state of a PCG64 generator, None for any other."""
    if type(generator.bit_generator) is not np.random.PCG64:
        return None
    now = generator.bit_generator.state
    return now["state"]["state"], now["state"]["inc"], now["has_uint32"], now["uinteger"]


def _lower_generator(encoder: Encoder, generator: np.random.Generator, depth: int) -> Node | None:
    state = _snapshot_generator(generator)
    return None if state is None else ["Generator", *encoder.lower_items(state, depth)]


def _build_generator(decoder: Decoder, node: Node, depth: int) -> np.random.Generator:
    state = decoder.build_items(node, depth)
    if list(map(type, state)) != [int] * 4:
        raise WireError("malformed message (a generator's state)")
    for field, limit in zip(state, _GENERATOR_LIMITS, strict=True):
        if not 0 <= field < limit:
            raise WireError("malformed message (a generator's state)")
    position, increment, has_uint32, uinteger = state
    # With an even increment it would soon repeat itself.
    if increment % 2 == 0:
        raise WireError("malformed message (a generator's state)")
    generator = np.random.Generator(np.random.PCG64(0))
    generator.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": position, "inc": increment},
        "has_uint32": has_uint32,
        "uinteger": uinteger,
    }
    return generator


def _apply_generator(generator: np.random.Generator, content: np.random.Generator) -> None:
    generator.bit_generator.state = content.bit_generator.state


def _snapshot_random_state(generator: np.random.RandomState) -> tuple[Any, ...] | None:
    state = plain_numpy_state(generator.get_state())
    return None if state is None else tuple(state)


def _lower_random_state(
    encoder: Encoder, generator: np.random.RandomState, depth: int
) -> Node | None:
    state = _snapshot_random_state(generator)
    return None if state is None else ["RandomState", *state]


def _build_random_state(decoder: Decoder, node: Node, depth: int) -> np.random.RandomState:
    generator = np.random.RandomState(0)
    generator.set_state(("MT19937", *check_numpy_state(check_fields(node, bytes, int, int, float))))
    return generator


def _apply_random_state(generator: np.random.RandomState, content: np.random.RandomState) -> None:
    generator.set_state(content.get_state())


TYPES = (
    ValueType(
        tag="Generator",
        types=(np.random.Generator,),
        lower=_lower_generator,
        build=_build_generator,
        snapshot=_snapshot_generator,
        apply=_apply_generator,
        to_jail_only=True,
    ),
    ValueType(
        tag="RandomState",
        types=(np.random.RandomState,),
        lower=_lower_random_state,
        build=_build_random_state,
        snapshot=_snapshot_random_state,
        apply=_apply_random_state,
        to_jail_only=True,
    ),
)
