"""Values of well-known types cross by value, whatever a subclass says of itself; each type says all that is needed."""

from __future__ import annotations

import collections
import datetime
import enum
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from jailless import kernel
from scipy import sparse

from autograder.course.errors import WireError
from autograder.kernel.decoder import Decoder
from autograder.kernel.encoder import Encoder
from autograder.kernel.handles import Handle
from autograder.kernel.types import REGISTRY
from autograder.kernel.value_types import (
    Registry,
    ValueType,
    never_changes,
    refuse_changes,
    refuse_reference,
)
from autograder.kernel.wire import CannotCross


def no_resolution(tag: str, fields: list[Any]) -> object:
    raise WireError(f"reference {tag}")


def round_trip(value: object) -> Any:
    skeleton, bulk = Encoder(refuse_reference).encode(value)
    return Decoder(no_resolution).decode(skeleton, b"".join(bulk))


# ------------------------------------------------------------------------------------------------------ the registry


def complete(**other: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "tag": "new",
        "types": (Registry,),
        "lower": lambda encoder, value, depth: ["new"],
        "build": lambda decoder, node, depth: Registry(),
        "snapshot": never_changes,
        "apply": refuse_changes,
    }
    return fields | other


@pytest.mark.parametrize("field", ["tag", "types", "lower", "build", "snapshot", "apply"])
def test_a_type_that_lacks_something_cannot_be_made(field: str) -> None:
    fields = complete()
    del fields[field]
    with pytest.raises(TypeError, match=field):
        ValueType(**fields)


def test_a_tag_or_a_type_registered_twice_is_an_error() -> None:
    registry = Registry()
    registry.add(ValueType(**complete()))
    with pytest.raises(ValueError, match="tag 'new'"):
        registry.add(ValueType(**complete()))
    with pytest.raises(ValueError, match="of the value types 'new' and 'other'"):
        registry.add(ValueType(**complete(tag="other")))


def test_a_change_of_what_cannot_change_is_refused() -> None:
    with pytest.raises(WireError):
        REGISTRY.by_tag["tuple"].apply((1,), (2,))


# ---------------------------------------------------------------------------------------------------- every new type

UTC = datetime.UTC
EAST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
VALUES: dict[str, Any] = {
    "fraction": Fraction(-3, 7),
    "large fraction": Fraction(10**40, 3),
    "decimal": Decimal("-1.50"),
    "decimal with exponent": Decimal("1E+10"),
    "infinite decimal": Decimal("-Infinity"),
    "date": datetime.date(2026, 2, 28),
    "moment": datetime.datetime(2026, 2, 28, 23, 59, 59, 999999),
    "moment in UTC": datetime.datetime(2026, 1, 2, tzinfo=UTC),
    "moment elsewhere": datetime.datetime(2026, 1, 2, 3, fold=1, tzinfo=EAST),
    "time": datetime.time(12, 30, tzinfo=EAST),
    "span": datetime.timedelta(days=-1, microseconds=5),
    "zone": EAST,
    "deque": collections.deque([1, [2]], maxlen=5),
    "user list": collections.UserList([1, "a"]),
    "user dictionary": collections.UserDict({"a": [1]}),
    "user text": collections.UserString("abc"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_well_known_value_arrives(name: str) -> None:
    value = VALUES[name]
    arrived = round_trip(value)
    assert type(arrived) is type(value)
    assert arrived == value
    assert repr(arrived) == repr(value)


def test_what_a_dictionary_shows_arrives() -> None:
    table = {"a": 1, "b": [2]}
    assert round_trip(table.keys()) == table.keys()
    assert list(round_trip(table.values())) == [1, [2]]
    assert list(round_trip(table.items())) == [("a", 1), ("b", [2])]


def test_a_named_tuple_keeps_its_fields() -> None:
    arrived = round_trip(np.linalg.svd(np.eye(2)))
    assert arrived._fields == ("U", "S", "Vh")
    assert type(arrived).__name__ == "SVDResult"
    assert arrived.S.tolist() == [1, 1]


ARRAYS: dict[str, Any] = {
    "records": np.array([(1.5, 2, "a"), (2.5, 3, "b")], "f8,i4,U3"),
    "named records": np.zeros((2, 3), [("x", "f4"), ("y", "i2", (2,)), ("z", [("a", "?")])]),
    "objects": np.array([1, "a", 2.5, [1, 2]], object),
    "objects in a table": np.array([[Fraction(1, 2), 10**30], [1j, b"x"]], object),
    "lists of one length": np.array([None, None], object),
}
ARRAYS["lists of one length"][:] = [[1, 2], [3, 4]]


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_records_or_of_plain_objects_arrives(name: str) -> None:
    arrived = round_trip(ARRAYS[name])
    assert arrived.dtype == ARRAYS[name].dtype
    assert arrived.shape == ARRAYS[name].shape
    assert repr(arrived.tolist()) == repr(ARRAYS[name].tolist())


def test_what_lies_between_the_fields_of_records_stays() -> None:
    gaps = np.frombuffer(
        b"\x01" * 32, np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8]})
    )
    skeleton, _ = Encoder(refuse_reference).encode(gaps)
    assert b"\x01" * 9 not in skeleton.replace(
        b"\x01" * 16, b""
    )  # the second field alone: two numbers of 8 bytes


@pytest.mark.parametrize("mask", [[True, False], False], ids=["some", "none"])
def test_a_masked_array_arrives(mask: Any) -> None:
    arrived = round_trip(np.ma.masked_array([1.0, 2.0], mask))
    assert isinstance(arrived, np.ma.MaskedArray)
    assert arrived.tolist() == ([None, 2.0] if mask else [1.0, 2.0])


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", ["bsr", "coo", "csc", "csr", "dia", "dok", "lil"])
def test_a_sparse_matrix_arrives(form: str, kind: str) -> None:
    made = getattr(sparse, f"{form}_{kind}")(np.array([[0, 1.5, 0], [2, 0, 0]]))
    arrived = round_trip(made)
    assert type(arrived) is type(made)
    assert arrived.toarray().tolist() == [[0, 1.5, 0], [2, 0, 0]]


def test_a_sparse_matrix_of_absurd_size_stays_a_handle() -> None:
    with pytest.raises(CannotCross):
        round_trip(sparse.coo_array((2**40, 2**40)))


# ------------------------------------------------------------------------------------ subclasses, as their base value


class AlwaysEqual:
    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Any]:
        return iter([42])

    def __len__(self) -> int:
        return 1

    def __getitem__(self, key: object) -> Any:
        return 42

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        return True


class Color(enum.IntEnum):
    RED = 1


def subclass(base: type, *args: Any) -> Any:
    return type("Sub", (AlwaysEqual, base), {})(*args)


SUBCLASSES: dict[str, tuple[Any, Any]] = {
    "integer": (subclass(int, 5), 5),
    "float": (subclass(float, 2.5), 2.5),
    "complex": (subclass(complex, 1 + 2j), 1 + 2j),
    "text": (subclass(str, "abc"), "abc"),
    "bytes": (subclass(bytes, b"abc"), b"abc"),
    "bytearray": (subclass(bytearray, b"abc"), bytearray(b"abc")),
    "list": (subclass(list, [1, 2]), [1, 2]),
    "tuple": (subclass(tuple, (1, 2)), (1, 2)),
    "set": (subclass(set, {1, 2}), {1, 2}),
    "frozenset": (subclass(frozenset, {1, 2}), frozenset({1, 2})),
    "dict": (subclass(dict, {"a": 1}), {"a": 1}),
    "ordered": (subclass(collections.OrderedDict, {"a": 1}), collections.OrderedDict(a=1)),
    "counter": (subclass(collections.Counter, "aab"), collections.Counter("aab")),
    "deque": (subclass(collections.deque, [1, 2]), collections.deque([1, 2])),
    "fraction": (subclass(Fraction, 1, 2), Fraction(1, 2)),
    "decimal": (subclass(Decimal, "1.5"), Decimal("1.5")),
    "date": (subclass(datetime.date, 2026, 1, 2), datetime.date(2026, 1, 2)),
    "member of an enumeration": (Color.RED, 1),
}


@pytest.mark.parametrize("name", SUBCLASSES)
def test_a_subclass_arrives_as_its_base_value_whatever_it_says_of_itself(name: str) -> None:
    value, plain = SUBCLASSES[name]
    arrived = round_trip(value)
    assert type(arrived) is type(plain)
    assert arrived == plain


def test_an_array_of_a_subclass_arrives_as_a_plain_one() -> None:
    liar = np.array([1.0, 2.0]).view(type("Sub", (AlwaysEqual, np.ndarray), {}))
    arrived = round_trip(liar)
    assert type(arrived) is np.ndarray
    assert arrived.tolist() == [1, 2]


@pytest.mark.parametrize(
    "method", [lambda self: 1, property(lambda self: 1), classmethod(lambda cls: 1)]
)
def test_a_subclass_with_methods_of_its_own_is_more_than_a_value(method: Any) -> None:
    with pytest.raises(CannotCross, match="Network"):
        round_trip(type("Network", (dict,), {"forward": method})())


# --------------------------------------------------------------------------------------------- through a whole kernel

STUDENT = """
import collections, fractions
import numpy as np
class Liar(float):
    def __eq__(self, other): return True
class Rows(list): pass
Point = collections.namedtuple("Point", "x y")
def lie(): return Liar(1)
def rows(): return Rows([1, 2])
def half(): return fractions.Fraction(1, 2)
def point(): return Point(1, np.ones(2))
def is_mine(p): return type(p) is Point and p.x
def append(d): d.append(5)
def put(d): d["b"] = 2
def mask(m): m[0] = np.ma.masked
def set_item(o): o[0] = "changed"
def set_field(r): r["a"][0] = 7
def scale(s): s *= 2
def set_column(t): t["new"] = [1, 2]; t.loc[0, "a"] = 9
def set_label(s): s["x"] = 9
"""


@pytest.fixture(scope="module")
def names() -> Iterator[Any]:
    with kernel() as made:
        assert made.run_cell(STUDENT).error is None
        yield made.namespace


def test_an_always_equal_value_gains_nothing(names: Any) -> None:
    assert names["lie"]() == 1
    assert names["lie"]() != 2
    assert names["rows"]() == [1, 2]
    assert names["half"]() == Fraction(1, 2)


def test_a_named_tuple_comes_back_as_the_students_own_class(names: Any) -> None:
    point = names["point"]()
    assert not isinstance(point, Handle)
    assert (point.x, point.y.tolist()) == (1, [1, 1])
    assert names["is_mine"](point) == 1


@pytest.mark.parametrize(
    ("change", "given", "after"),
    [
        ("append", collections.deque([1]), collections.deque([1, 5])),
        ("append", collections.UserList([1]), collections.UserList([1, 5])),
        ("put", collections.UserDict(a=1), collections.UserDict(a=1, b=2)),
        ("append", type("Own", (list,), {})([1]), [1, 5]),
    ],
    ids=["deque", "user list", "user dictionary", "subclass of list"],
)
def test_a_change_in_place_is_seen_here(names: Any, change: str, given: Any, after: Any) -> None:
    names[change](given)
    assert given == after


def test_a_change_of_an_odd_array_is_seen_here(names: Any) -> None:
    masked = np.ma.masked_array([1.0, 2.0], [False, False])
    names["mask"](masked)
    assert masked.tolist() == [None, 2.0]
    objects = np.array([1, "a"], object)
    names["set_item"](objects)
    assert objects.tolist() == ["changed", "a"]
    records = np.zeros(2, [("a", "f8"), ("b", "i4")])
    names["set_field"](records)
    assert records["a"].tolist() == [7, 0]


def test_a_change_of_a_sparse_matrix_is_seen_here(names: Any) -> None:
    matrix = sparse.csr_array(np.eye(2))
    names["scale"](matrix)
    assert matrix.toarray().tolist() == [[2, 0], [0, 2]]


# ------------------------------------------------------------------------------------------------------------- pandas


def make_tables(pandas: Any) -> list[Any]:
    days = pandas.date_range("2026-01-01", periods=3, freq="D")
    return [
        pandas.Series([1.5, 2.5], index=["x", "y"], name="s"),
        pandas.Series(["a", None, "b"]),
        pandas.Series([1, None, 3], dtype="Int64"),
        pandas.Series([1, "a", 2.5], dtype=object),
        pandas.Series([1, 2, 3], index=days),
        pandas.DataFrame({"a": [1, 2], "b": [0.5, np.nan], "c": ["x", "y"]}, index=[10, 20]),
        pandas.DataFrame([[1, 2.0]], columns=["a", "a"]),
        pandas.DataFrame(np.eye(2)),
        pandas.DataFrame(),
    ]


def test_tables_arrive() -> None:
    pandas = pytest.importorskip("pandas")
    for value in make_tables(pandas):
        arrived = round_trip(value)
        if isinstance(value, pandas.Series):
            pandas.testing.assert_series_equal(arrived, value)
        else:
            pandas.testing.assert_frame_equal(arrived, value)


def test_an_index_arrives() -> None:
    pandas = pytest.importorskip("pandas")
    for value in (
        pandas.Index(["a", "b"], name="n"),
        pandas.RangeIndex(2, 8, 3),
        pandas.Index([1.5]),
    ):
        pandas.testing.assert_index_equal(round_trip(value), value)


def test_a_table_of_objects_stays_a_handle() -> None:
    pandas = pytest.importorskip("pandas")
    with pytest.raises(CannotCross):
        round_trip(pandas.DataFrame({"a": [object()]}))


def test_changes_of_tables_are_seen_here(names: Any) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": [1, 2]})
    names["set_column"](table)
    assert table.to_dict("list") == {"a": [9, 2], "new": [1, 2]}
    series = pandas.Series([1, 2], index=["x", "y"])
    names["set_label"](series)
    assert series.tolist() == [9, 2]


FORGED: dict[str, Callable[[], list[Any]]] = {
    "fraction of floats": lambda: ["Fraction", 1.0, 2],
    "fraction by zero": lambda: ["Fraction", 1, 0],
    "decimal of absurd size": lambda: ["Decimal", "1E+999999999"],
    "decimal that is code": lambda: ["Decimal", "__import__('os')"],
    "date out of range": lambda: ["date", 2026, 13, 1],
    "moment in an odd zone": lambda: ["datetime", 2026, 1, 1, 0, 0, 0, 0, 0, "UTC"],
    "zone beyond a day": lambda: ["timezone", 10**12],
    "sparse of odd format": lambda: ["sparse", "os", "array", 2, 2, *entries()],
    "sparse of odd kind": lambda: ["sparse", "csr", "random", 2, 2, *entries()],
    "sparse of absurd shape": lambda: ["sparse", "csr", "array", 2**40, 2, *entries()],
    "sparse with entries outside": lambda: ["sparse", "csr", "array", 2, 2, *entries(5)],
    "sparse with negative entries": lambda: ["sparse", "csr", "array", 2, 2, *entries(-1)],
    "series of an odd dtype": lambda: [
        "Series",
        "s",
        ["list", "category", 1],
        ["list", None, "range", 0, 1, 1],
    ],
    "series of another length": lambda: [
        "Series",
        "s",
        ["list", "Int64", 1, 2],
        ["list", None, "range", 0, 1, 1],
    ],
    "index with an odd frequency": lambda: [
        "Index",
        ["list", None, "array", lowered(np.ones(2)), "os.system()"],
    ],
    "index without form": lambda: ["Index", ["list"]],
    "table with too few labels": lambda: [
        "DataFrame",
        ["list", None, "range", 0, 1, 1],
        ["list", None, "range", 0, 1, 1],
    ],
}


def lowered(value: object) -> Any:
    return Encoder(refuse_reference).lower(value)


def entries(place: int = 1) -> list[Any]:
    return [lowered(np.array([place])), lowered(np.array([place])), lowered(np.array([1.5]))]


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_value_is_refused(name: str) -> None:
    if name.startswith(("series", "index", "table")):
        pytest.importorskip("pandas")
    skeleton, bulk = Encoder(refuse_reference).pack(FORGED[name]())
    with pytest.raises(WireError):
        Decoder(no_resolution).decode(skeleton, b"".join(bulk))
