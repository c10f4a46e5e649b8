"""What a test sees of its data when a call has changed a part of them."""

from __future__ import annotations

import numpy as np
import pytest
from jails import jail, jailed_kernel

from autograder.grader.test_cells import CellGlobals, run_test_cell
from autograder.jail import Jail

__all__ = ["jail"]

NOTEBOOK = """
import numpy as np
table = np.array([[1., 2.], [3., 4.], [5., 6.]])
book = {"weights": [np.array([1., 2., 3.])]}
mixed = np.array([[1, "a"], [2, "b"]], dtype=object)

def clear(part):
    part[...] = 0
"""


@pytest.mark.parametrize(
    ("call", "data", "wanted"),
    [
        ("clear(table[1:])", "table", [[1, 2], [0, 0], [0, 0]]),
        ("clear(table.T[0])", "table", [[0, 2], [0, 4], [0, 6]]),
        ("row = table[1]\nclear(row)", "table", [[1, 2], [0, 0], [5, 6]]),
        ("clear(book['weights'][0][:2])", "book['weights'][0]", [0, 0, 3]),
        ("clear(mixed[1])", "mixed", [[1, "a"], [0, 0]]),
        ("clear(table[1:].copy())", "table", [[1, 2], [3, 4], [5, 6]]),
    ],
)
def test_a_change_of_a_part_of_an_array_is_a_change_of_the_array(
    jail: Jail, call: str, data: str, wanted: list[object]
) -> None:
    with jailed_kernel(jail) as kernel:
        kernel.run_cell(NOTEBOOK)
        names = CellGlobals({}, kernel.namespace, {})
        kernel.tell_change = names.fetched.note_change
        seen = run_test_cell(f"{call}\n{data}", names)
    np.testing.assert_array_equal(seen, np.array(wanted, getattr(seen, "dtype", None)))
