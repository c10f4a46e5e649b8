"""Dates, times of day and spans of time; a zone crosses as its distance from UTC."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from autograder.course.errors import WireError
from autograder.kernel.value_types import ValueType, check_fields, never_changes, refuse_changes
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

_MICROSECOND = datetime.timedelta(microseconds=1)


def _read(kind: type, value: object, *names: str) -> list[Any]:
    """Return attributes of a value as its base class has them."""
    fields = []
    for name in names:
        attribute: Any = vars(kind)[name]
        fields.append(attribute.__get__(value))
    return fields


def _lower_date(encoder: Encoder, value: datetime.date, depth: int) -> Node:
    return ["date", *_read(datetime.date, value, "year", "month", "day")]


def _build_date(decoder: Decoder, node: Node, depth: int) -> datetime.date:
    return datetime.date(*check_fields(node, int, int, int))


def _lower_span(encoder: Encoder, value: datetime.timedelta, depth: int) -> Node:
    return ["timedelta", *_read(datetime.timedelta, value, "days", "seconds", "microseconds")]


def _build_span(decoder: Decoder, node: Node, depth: int) -> datetime.timedelta:
    return datetime.timedelta(*check_fields(node, int, int, int))


def _lower_zone(offset: datetime.timedelta | None) -> int | None:
    return None if offset is None else offset // _MICROSECOND


def _build_zone(microseconds: object) -> datetime.timezone | None:
    if microseconds is None:
        return None
    if type(microseconds) is not int:
        raise WireError("malformed message (a zone)")
    offset = datetime.timedelta(microseconds=microseconds)
    return datetime.timezone(offset) if offset else datetime.UTC


def _lower_moment(encoder: Encoder, value: datetime.datetime, depth: int) -> Node:
    day = _read(datetime.date, value, "year", "month", "day")
    time = _read(datetime.datetime, value, "hour", "minute", "second", "microsecond", "fold")
    return ["datetime", *day, *time, _lower_zone(datetime.datetime.utcoffset(value))]


def _build_moment(decoder: Decoder, node: Node, depth: int) -> datetime.datetime:
    *fields, fold, zone = node[1:]
    year, month, day, hour, minute, second, microsecond = check_fields(
        [node[0], *fields], *[int] * 7
    )
    return datetime.datetime(
        year, month, day, hour, minute, second, microsecond, _build_zone(zone), fold=fold
    )


def _lower_time(encoder: Encoder, value: datetime.time, depth: int) -> Node:
    fields = _read(datetime.time, value, "hour", "minute", "second", "microsecond", "fold")
    return ["time", *fields, _lower_zone(datetime.time.utcoffset(value))]


def _build_time(decoder: Decoder, node: Node, depth: int) -> datetime.time:
    *fields, fold, zone = node[1:]
    hour, minute, second, microsecond = check_fields([node[0], *fields], *[int] * 4)
    return datetime.time(hour, minute, second, microsecond, _build_zone(zone), fold=fold)


def _lower_timezone(encoder: Encoder, value: datetime.timezone, depth: int) -> Node:
    return ["timezone", _lower_zone(datetime.timezone.utcoffset(value, None))]


def _build_timezone(decoder: Decoder, node: Node, depth: int) -> datetime.timezone:
    (offset,) = check_fields(node, int)
    zone = _build_zone(offset)
    assert zone is not None
    return zone


TYPES = tuple(
    ValueType(
        tag=tag,
        types=(kind,),
        lower=lower,
        build=build,
        snapshot=never_changes,
        apply=refuse_changes,
    )
    for tag, kind, lower, build in (
        ("date", datetime.date, _lower_date, _build_date),
        ("timedelta", datetime.timedelta, _lower_span, _build_span),
        ("datetime", datetime.datetime, _lower_moment, _build_moment),
        ("time", datetime.time, _lower_time, _build_time),
        ("timezone", datetime.timezone, _lower_timezone, _build_timezone),
    )
)
