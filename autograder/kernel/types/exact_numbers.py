"""Fractions and decimals."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from autograder.course.errors import WireError
from autograder.kernel.value_types import ValueType, check_fields, never_changes, refuse_changes
from autograder.kernel.wire import Node

if TYPE_CHECKING:
    from autograder.kernel.decoder import Decoder
    from autograder.kernel.encoder import Encoder

_DECIMAL: Final = re.compile(
    r"-?(\d{1,5000}(\.\d{0,5000})?(E[+-]\d{1,4})?|Infinity|s?NaN\d{0,20})", re.ASCII
)
# `int` of a decimal writes out all its digits: an exponent of a million million would take all
# memory.


def _lower_fraction(encoder: Encoder, value: Fraction, depth: int) -> Node:
    numerator: Any = vars(Fraction)["numerator"]
    denominator: Any = vars(Fraction)["denominator"]
    parts = (numerator.__get__(value), denominator.__get__(value))
    return ["Fraction", *encoder.lower_items(parts, depth)]


def _build_fraction(decoder: Decoder, node: Node, depth: int) -> Fraction:
    numerator, denominator = decoder.build_items(node, depth)
    if type(numerator) is not int or type(denominator) is not int:
        raise WireError("malformed message (a fraction)")
    return Fraction(numerator, denominator)


def _lower_decimal(encoder: Encoder, value: Decimal, depth: int) -> Node | None:
    text = Decimal.__str__(value)
    return ["Decimal", text] if _DECIMAL.fullmatch(text) else None


def _build_decimal(decoder: Decoder, node: Node, depth: int) -> Decimal:
    (text,) = check_fields(node, str)
    if not _DECIMAL.fullmatch(text):
        raise WireError("malformed message (a decimal)")
    return Decimal(text)


TYPES = (
    ValueType(
        tag="Fraction",
        types=(Fraction,),
        lower=_lower_fraction,
        build=_build_fraction,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
    ValueType(
        tag="Decimal",
        types=(Decimal,),
        lower=_lower_decimal,
        build=_build_decimal,
        snapshot=never_changes,
        apply=refuse_changes,
    ),
)
