"""Every value of the closed set arrives as it left, and nothing else arrives at all."""

from __future__ import annotations

import collections
import contextlib
import math
from collections.abc import Callable
from typing import Any

import hypothesis.extra.numpy as arrays
import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.course.errors import WireError
from autograder.kernel import wire
from autograder.kernel.decoder import Decoder
from autograder.kernel.encoder import Encoder
from autograder.kernel.types import REGISTRY
from autograder.kernel.wire import CannotCross

# students may still send times without a unit
pytestmark = pytest.mark.filterwarnings("ignore:The 'generic' unit:DeprecationWarning")

QUICK = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
DTYPES = "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16 >i4 >f8 >c16 g G S1 S7 U1 U9 >U3 M8[ns] M8[D] M8[25s] m8[us] m8"


def no_reference(value: object) -> list[Any]:
    raise CannotCross(f"a {type(value).__name__}")


def no_resolution(tag: str, fields: list[Any]) -> object:
    raise WireError(f"reference {tag}")


def sent(value: object) -> tuple[bytes, bytes]:
    skeleton, bulk = Encoder(no_reference).encode(value)
    return skeleton, b"".join(bulk)


def received(skeleton: bytes, bulk: bytes = b"") -> Any:
    return Decoder(no_resolution).decode(skeleton, bulk)


def round_trip(value: object) -> Any:
    return received(*sent(value))


def bits(value: Any) -> Any:
    """The bytes of an array or scalar; of a long double, which does not use all of its own, what it shows."""
    return repr(value.tolist()) + repr(value) if value.dtype.char in "gG" else value.tobytes()


def alike(one: Any, other: Any) -> bool:
    """Equal in type, structure and every bit that can be seen."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return (
            one.dtype == other.dtype
            and one.shape == other.shape
            and bits(one) == bits(other)
            and one.flags.writeable == other.flags.writeable
        )
    if isinstance(one, np.generic):
        return one.dtype == other.dtype and bits(one) == bits(other)
    if isinstance(one, float):
        return math.copysign(1, one) == math.copysign(1, other) and (
            one == other or (one != one and other != other)
        )
    if isinstance(one, complex):
        return alike(one.real, other.real) and alike(one.imag, other.imag)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        pairs = zip(one.items(), other.items(), strict=True)
        return len(one) == len(other) and all(
            alike(a, b) and alike(x, y) for (a, x), (b, y) in pairs
        )
    if isinstance(one, slice):
        return alike([one.start, one.stop, one.step], [other.start, other.stop, other.step])
    return bool(one == other)


numbers = st.one_of(
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.complex_numbers(),
)
texts = st.text(st.characters(exclude_categories=[]), max_size=30)  # lone surrogates too
numpy_scalars = st.sampled_from(DTYPES.split()).flatmap(
    lambda name: arrays.from_dtype(np.dtype(name))
)
scalars = st.one_of(st.none(), numbers, texts, st.binary(max_size=30), numpy_scalars)
keys = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        texts,
        st.binary(max_size=9),
    ),
    lambda inner: st.one_of(st.tuples(inner, inner), st.frozensets(inner, max_size=3)),
    max_leaves=4,
)
any_array = arrays.arrays(
    st.sampled_from(DTYPES.split()).map(np.dtype),
    arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
values = st.recursive(
    st.one_of(scalars, any_array),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.dictionaries(keys, inner, max_size=4).map(collections.OrderedDict),
        st.sets(keys, max_size=4),
        st.frozensets(keys, max_size=4),
    ),
    max_leaves=12,
)


@QUICK
@given(values)
@example([math.nan, math.inf, -math.inf, 0.0, -0.0])
@example([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**400])
@example({1: "a", (1, ("b", None)): [2], 2.5: {}, None: (), b"x": {1}, True is False: frozenset()})
@example(((), [], {}, set(), frozenset(), [[]], ({},)))
@example("\ud800 lone, \x00 null, 🎉")
@example("long " * 1000)
@example(b"long " * 1000)
@example([list(range(1000)), [0.5] * 1000, [None, True, 1, 2.0]])
def test_a_value_arrives_as_it_left(value: Any) -> None:
    assert alike(round_trip(value), value)


@pytest.mark.parametrize("name", DTYPES.split())
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3), (1, 2, 3, 4)], ids=str)
def test_an_array_of_every_dtype_and_shape_arrives(name: str, shape: tuple[int, ...]) -> None:
    array = np.arange(math.prod(shape)).reshape(shape).astype(name)
    assert alike(round_trip(array), array)


@pytest.mark.parametrize(
    "make",
    [
        lambda a: a,
        lambda a: np.asfortranarray(a),
        lambda a: a.T,
        lambda a: a[::2, ::-1],
        lambda a: a[1:1],
        lambda a: np.broadcast_to(a[0], (5, 4)),
        lambda a: a[..., None],
        lambda a: np.moveaxis(np.stack([a, a]), 0, 1),
    ],
    ids=[
        "C",
        "Fortran",
        "transposed",
        "strided",
        "empty slice",
        "broadcast",
        "new axis",
        "moved axis",
    ],
)
def test_order_and_strides_do_not_matter(make: Callable[[Any], Any]) -> None:
    array = make(np.arange(24.0).reshape(6, 4))
    arrived = round_trip(array)
    assert alike(arrived, array)
    assert arrived.flags.owndata
    assert arrived.flags.f_contiguous == (array.flags.f_contiguous or arrived.ndim < 2)


def test_no_memory_leaves_in_the_gaps_of_long_doubles() -> None:
    numbers = np.frombuffer(b"\x01" * 64, np.longdouble)
    assert bits(round_trip(numbers)) == bits(numbers)
    if np.finfo(np.longdouble).nmant == 63:
        assert (b"\x01" * 10 + b"\x00" * 6) * 4 in sent(numbers)[0]


def test_an_array_that_is_read_only_stays_so() -> None:
    array = np.arange(3)
    array.flags.writeable = False
    assert not round_trip(array).flags.writeable


@pytest.mark.parametrize(
    "value",
    [
        int,
        np.float32,
        np.dtype("f4"),
        ...,
        NotImplemented,
        slice(1, None, 2),
        slice(np.int64(1), (1, 2), "a"),
        range(3, 10, 2),
        range(2**70, 2**71),
        np.str_(""),
        np.bytes_(b""),
        np.float64("nan"),
        np.datetime64("NaT", "D"),
        np.eye(2).view(np.matrix),
        bytearray(b"abc"),
        collections.Counter("abca"),
        collections.defaultdict(list, a=[1]),
        collections.defaultdict(None, a=[1]),
        collections.OrderedDict(b=1, a=2),
    ],
    ids=repr,
)
def test_the_rest_of_the_closed_set_arrives(value: Any) -> None:
    assert alike(round_trip(value), value)


def test_a_counting_dictionary_keeps_its_default() -> None:
    arrived = round_trip(collections.defaultdict(int))
    arrived["a"] += 1
    assert arrived == {"a": 1}


@QUICK
@given(values)
def test_both_sides_number_the_same_objects(value: Any) -> None:
    encoder, decoder = Encoder(no_reference), Decoder(no_resolution)
    skeleton, bulk = encoder.encode(value)
    decoder.decode(skeleton, b"".join(bulk))
    assert len(encoder.objects) == len(decoder.objects)
    assert all(map(alike, encoder.objects, decoder.objects))


def test_an_object_that_occurs_twice_arrives_as_one() -> None:
    row, array = [1], np.ones(2)
    rows, table = round_trip(([row, row], {"a": array, "b": array}))
    assert rows[0] is rows[1]
    assert table["a"] is table["b"]


def test_an_answer_speaks_of_the_objects_it_was_given() -> None:
    mine, yours = [1, 2], [1, 2]
    skeleton, _ = Encoder(no_reference, [mine]).encode([mine, [1, 2]])
    answer = Decoder(no_resolution, [yours]).decode(skeleton)
    assert answer[0] is yours
    assert answer[1] is not yours


class Number(float):
    """A float that would vouch for itself."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


OBJECTS = {
    "object": (object(), "a object"),
    "function": (len, "a builtin"),
    "subclass with methods": (type("Rows", (list,), {"first": lambda self: self[0]})(), "a Rows"),
    "array of gaps": (np.zeros(2, "V8"), "a ndarray"),
    "array of objects": (np.array([None, 1]), "built from None?"),
    "generator": ((n for n in range(3)), "a generator"),
    "huge integer": (1 << 100_000, "an integer of more"),
    "huge array": (
        np.broadcast_to(np.zeros(1), (1 << 20, 1 << 20)),
        "an array of more than 256 MB",
    ),
    "odd default": (collections.defaultdict(lambda: 1), "a defaultdict"),
}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize(
    "nest", [lambda v: v, lambda v: {"deep": [(v,)]}], ids=["itself", "nested"]
)
def test_what_cannot_cross_is_named(name: str, nest: Callable[[Any], Any]) -> None:
    value, words = OBJECTS[name]
    with pytest.raises(CannotCross) as caught:
        sent(nest(value))
    assert words in str(caught.value)


def test_a_list_that_contains_itself_cannot_cross() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(CannotCross, match="contains itself"):
        sent(endless)


# ------------------------------------------------------------------------------------------------ the receiving side


def packed(node: object) -> bytes:
    return msgpack.packb(node, strict_types=True)


def array_node(
    data: Any = b"\0" * 16,
    *,
    dtype: Any = "<f8",
    order: Any = "C",
    writeable: Any = True,
    shape: Any = (2,),
) -> list[Any]:
    return ["ndarray", data, dtype, order, writeable, *shape]


FORGED: dict[str, Any] = {
    "empty node": [],
    "tag that is no text": [1, 1],
    "tag that is true": [True, 1],
    "unknown tag": ["system"],
    "tag without an end": ["a" * 100_000],
    "object dtype": array_node(dtype="|O"),
    "structured dtype": array_node(b"\0" * 24, dtype="<f8,<i4"),
    "subarray dtype": array_node(b"", dtype="(1000000000,)f8"),
    "void dtype": array_node(dtype="|V8"),
    "empty text dtype": array_node(b"", dtype="<U0"),
    "impossible dtype": array_node(b"\0" * 6, dtype="<f3"),
    "impossible unit": array_node(dtype="<M8[xx]"),
    "dtype that is no text": array_node(dtype=8),
    "odd order": array_node(order="K"),
    "flag that is no flag": array_node(writeable=1),
    "negative length": array_node(b"\0" * 8, shape=(-1,)),
    "two negative lengths": array_node(b"\0" * 16, shape=(-1, -2)),
    "length that is no integer": array_node(shape=(2.0,)),
    "length that is true": array_node(shape=(True, 2)),
    "too many dimensions": array_node(b"\0" * 8, shape=(1,) * 40),
    "too many elements": array_node(shape=(2**40,)),
    "overflowing lengths": array_node(b"", shape=(2**62, 2**62)),
    "endless empty array": array_node(b"", shape=(0, 2**62)),
    "too few bytes": array_node(shape=(3,)),
    "too many bytes": array_node(shape=(1,)),
    "bytes that are text": array_node("\0" * 16),
    "bytes that are not there": array_node(16),
    "bytes of negative length": array_node(-16),
    "bytes of true length": array_node(True),
    "no bytes": ["ndarray"],
    "text outside Unicode": array_node(b"\xff" * 4, dtype="<U1", shape=(1,)),
    "turned text outside Unicode": array_node(b"\xff" * 16, dtype="<U1", shape=(2, 2), order="F"),
    "scalar of wrong size": ["scalar", b"1234", "<f8"],
    "scalar of objects": ["scalar", b"12345678", "|O"],
    "objects without shape": ["array of objects", 5],
    "objects that are too few": ["array of objects", 1, 3, 1, 2],
    "objects of an odd shape": ["array of objects", 1, -1],
    "objects without end": ["array of objects", 1, 2**40],
    "records without fields": ["array of records", 0],
    "records of a list": ["array of records", 1, "a", ["list", 1], 1],
    "records of another length": ["array of records", 1, "a", array_node(), 3],
    "records with a field twice": ["array of records", 2, "a", "a", array_node(), array_node(), 2],
    "mask of numbers": ["masked array", array_node(), array_node()],
    "mask of another shape": [
        "masked array",
        array_node(),
        array_node(b"\0" * 3, dtype="|b1", shape=(3,)),
    ],
    "floats of wrong size": ["floats", b"1234567"],
    "floats without bytes": ["floats"],
    "odd dictionary": ["dict", "a"],
    "unhashable key": ["dict", ["list"], 1],
    "unhashable item": ["set", ["list"]],
    "unknown name": ["constant", "os.system"],
    "default that is no type": ["defaultdict", "Ellipsis", "a", 1],
    "default that is no name": ["defaultdict", 1],
    "default without name": ["defaultdict"],
    "range of floats": ["range", 0.0, 1.0, 1.0],
    "range that stands still": ["range", 0, 1, 0],
    "complex of integers": ["complex", 1, 2],
    "float as a node": ["float", 1.0],
    "huge integer": ["integer", b"\1" * 100_000],
    "integer of text": ["integer", "1"],
    "text that is none": ["text", b"\xff\xfe"],
    "text of text": ["text", "a"],
    "text longer than the message": ["text", 2**62],
    "named tuple with too few items": ["named tuple", 2, "A", "x", "y", 1],
    "named tuple with odd names": ["named tuple", 1, "A", "x y", 1],
    "named tuple with code for a name": ["named tuple", 1, "A", "x=print(1)", 1],
    "named tuple without end": ["named tuple", 2**40, "A"],
    "deque of negative length": ["deque", -1],
    "deque of an odd length": ["deque", "a"],
    "generator that stands still": ["Generator", 5, 4, 0, 0],
    "generator beyond its size": [
        "Generator",
        5,
        ["integer", (2**128 + 1).to_bytes(17, "big")],
        0,
        0,
    ],
    "generator of an odd state": ["Generator", 5, 5, 2, 0],
    "random state of zeros": ["RandomState", bytes(2496), 5, 0, 0.0],
    "random state beyond its words": ["RandomState", bytes([1]) * 2496, 700, 0, 0.0],
    "random state with too few words": ["RandomState", bytes([1]) * 2000, 5, 0, 0.0],
    "object that is not there": [wire.SAME, 0],
    "object before the first": [wire.GIVEN, -1],
    "object that nobody gave": [wire.GIVEN, 0],
    "reference": [wire.STUDENTS, 1, "object", "A", ""],
    "map": {"a": 1},
    "extension": msgpack.ExtType(5, b"a"),
    "timestamp": msgpack.Timestamp(1),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_message_is_refused(name: str) -> None:
    with pytest.raises(WireError):
        received(packed(FORGED[name]))


def test_bytes_that_are_left_over_are_refused() -> None:
    with pytest.raises(WireError, match="left over"):
        received(packed(["bytes", 2]), b"abc")


@pytest.mark.parametrize(
    "skeleton",
    [
        b"",
        b"\xc1",
        b"\x91",
        b"\xc0\xc0",
        b"\x92\x01" * 100_000,
        packed(0)[:-1] + b"\x92\x00" * 500 + b"\x91\x00",
        (b"\xdd" + (1 << 20).to_bytes(4, "big")) * 1000,
        b"\xdd" + (3_000_000).to_bytes(4, "big") + b"\xc0" * 3_000_000,
        b"\xdd" + (1_900_000).to_bytes(4, "big") + b"\x90" * 1_900_000,
        b"\xc6\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xffabc",
        b"\xa2\xff\xff",
    ],
    ids=[
        "empty",
        "never used byte",
        "torn",
        "two values",
        "very deep",
        "deep",
        "promises",
        "too many",
        "empty lists",
        "endless bytes",
        "endless text",
        "not UTF-8",
    ],
)
def test_a_broken_skeleton_is_refused(skeleton: bytes) -> None:
    with pytest.raises(WireError):
        received(skeleton)


# Made by the test that needs one: processes that are forked meanwhile would copy them all.
TOO_MANY = {
    "floats": lambda: [1.5] * 3_000_000,
    "integers": lambda: list(range(3_000_000)),
    "booleans": lambda: [True] * 3_000_000,
    "a tuple": lambda: (None,) * 3_000_000,
    "rows": lambda: [[True] * 1_500 for _ in range(1_500)],
}


@pytest.mark.parametrize("make", TOO_MANY.values(), ids=TOO_MANY)
def test_more_items_than_are_read_are_not_sent(make: Callable[[], object]) -> None:
    with pytest.raises(CannotCross, match="too many items"):
        sent(make())


def test_as_many_items_as_are_sent_are_read() -> None:
    for value in ([1.5] * 2_000_000, [True] * 1_999_998, [[True] * 1_400 for _ in range(1_400)]):
        assert round_trip(value) == value
    with pytest.raises(CannotCross, match="too many items"):
        sent([True] * 1_999_999)


def test_true_is_true_whatever_its_byte() -> None:
    array = received(packed(array_node(b"\x00\x01\x02\xff", dtype="|b1", shape=(4,))))
    assert array.tobytes() == b"\x00\x01\x01\x01"
    scalar = received(packed(["scalar", b"\x02", "|b1"]))
    assert scalar.tobytes() == b"\x01"


def test_keys_made_to_collide_are_refused() -> None:
    colliding = {n * (2**61 - 1): n for n in range(1_000)}
    with pytest.raises(WireError, match="collide"):
        round_trip(colliding)
    with pytest.raises(WireError, match="collide"):
        round_trip(set(colliding))


@QUICK
@given(st.binary(max_size=200), st.binary(max_size=40))
def test_random_bytes_are_a_value_or_refused(skeleton: bytes, bulk: bytes) -> None:
    try:
        received(skeleton, bulk)
    except WireError:
        return
    assert bulk == b"" or b"\x92" in skeleton  # a node that takes them


tags = st.sampled_from([*sorted(REGISTRY.by_tag), wire.SAME, wire.GIVEN, wire.STUDENTS, "none"])
nodes = st.recursive(
    st.one_of(
        st.integers(-3, 40),
        st.sampled_from(sorted(REGISTRY.by_tag)),
        st.sampled_from(["", "<f8", "|O", "<U1", "C", "F", "int", "numpy.float64", "a" * 40]),
        st.booleans(),
        st.none(),
        st.floats(),
        st.binary(max_size=9),
    ),
    lambda inner: st.lists(inner, max_size=6).flatmap(
        lambda items: tags.map(lambda tag: [tag, *items])
    ),
    max_leaves=20,
)


@settings(QUICK, max_examples=400)
@given(nodes, st.binary(max_size=64))
def test_random_nodes_are_a_value_of_the_closed_set_or_refused(node: Any, bulk: bytes) -> None:
    try:
        value = received(packed(node), bulk)
    except WireError:
        return
    with contextlib.suppress(CannotCross):  # an array of None is built, and named where it is sent
        sent(value)  # it is of the closed set: it can be sent again


@QUICK
@given(values, st.data())
def test_a_message_with_a_changed_byte_is_a_value_or_refused(
    value: Any, data: st.DataObject
) -> None:
    skeleton, bulk = sent(value)
    changed = bytearray(skeleton)
    place = data.draw(st.integers(0, len(changed) - 1))
    changed[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        sent(received(bytes(changed), bulk))
