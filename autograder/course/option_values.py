"""Values of options checked one by one: what is not meant is refused with the file, the key, the
value and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autograder.course.errors import ConfigError
from autograder.course.nearest_names import say_nearest_name

MOMENT = "a date and time like '2027-03-06 23:59'"


@dataclass(frozen=True)
class OptionValues:
    """Reads the values of one file's options; knows its name for the messages."""

    path: Path

    def timezone(self, value: object) -> ZoneInfo:
        """Return a time zone."""
        try:
            # A ValueError is what ZoneInfo has for a path that leads out of its folder, '../x'.
            return ZoneInfo(self.text("c.Course.timezone", value))
        except (ZoneInfoNotFoundError, ValueError):
            raise self.wrong(
                "c.Course.timezone", value, "a name like 'Europe/Budapest' or 'UTC'"
            ) from None

    def moment(self, key: str, value: object, zone: ZoneInfo) -> datetime | None:
        """Return a date and time, None where there is none."""
        if value is None:
            return None
        try:
            return read_moment(value, zone)
        except ValueError:
            raise self.wrong(key, value, MOMENT) from None

    def place(self, key: str, value: object) -> Path:
        """Return a path, from the folder of the file."""
        # A command may be run in any folder of the course: where it is run must change nothing.
        return self.path.parent / self.text(key, value)

    def text(self, key: str, value: object) -> str:
        """Return a text."""
        if not isinstance(value, str):
            raise self.wrong(key, value, "a text in quotes")
        return value

    def switch(self, key: str, value: object) -> bool:
        """Return True or False."""
        if not isinstance(value, bool):
            raise self.wrong(key, value, "True or False")
        return value

    def positive(self, key: str, value: object) -> Any:
        """Return a number above 0."""
        # To Python, True is a number, and nobody who writes it means 1.
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
            raise self.wrong(key, value, "a number greater than 0")
        return value

    def count(self, key: str, value: object) -> int:
        """Return a whole number."""
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.wrong(key, value, "a whole number, 0 or more")
        return value

    def table(self, key: str, value: object) -> dict[str, Any]:
        """Return a dictionary of the caller's own."""
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise self.wrong(key, value, "a dictionary with names as keys")
        # A copy, for who reads a table takes keys out of it.
        return dict(value)

    def known(self, key: str, given: Iterable[str], wanted: Iterable[str]) -> None:
        """Refuse options that nobody reads."""
        for name in given:
            if name not in wanted:
                where = f"{key}.{name}" if key == "c.Course" else f"{key}[{name!r}]"
                raise ConfigError(
                    f"{self.path.name}: {where} is not an option; {say_nearest_name(name, wanted)}"
                )

    def wrong(self, key: str, value: object, right: str) -> ConfigError:
        """Return the error that says what was found, and what would be right."""
        return ConfigError(f"{self.path.name}: {key} is {value!r}; {right}")


def read_moment(value: object, zone: ZoneInfo) -> datetime:
    """Read a date and time, in the given zone unless it names its own, as an aware one in UTC.

    Raises
    ------
    ValueError
        If it is no ISO date with a time.
    """
    # Python reads a bare date, too; whether its first or its last minute is meant, nobody knows.
    text = value.isoformat(" ") if isinstance(value, datetime) else value
    if not isinstance(text, str) or not re.match(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", text):
        raise ValueError(f"{value!r} is not {MOMENT}")
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
