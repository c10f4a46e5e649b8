"""The types of values that cross between the jail and the trusted side, one module for each family.

A new type is one new module in this folder, with a `TYPES` of its own: it is found by being there. Each type says all
that must be known of it (`autograder.kernel.value_types.ValueType`).
"""

from __future__ import annotations

import importlib
import pkgutil

from autograder.kernel.value_types import Registry


def register_families() -> Registry:
    """Return all value types of all modules in this folder."""
    registry = Registry()
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        family = importlib.import_module(f"{__name__}.{module.name}")
        for value_type in family.TYPES:
            registry.add(value_type)
    return registry


REGISTRY = register_families()
