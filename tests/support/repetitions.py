"""What is shown several times, from other starts or for others like it: once for `make test`, whole for a release."""

from __future__ import annotations

from typing import Any

import pytest


def first_now(*values: Any) -> list[Any]:
    """Return the values of a parametrisation, of which all but the first are for a release."""
    first, *others = values
    return [first, *(pytest.param(value, marks=pytest.mark.release) for value in others)]
