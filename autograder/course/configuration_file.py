"""`grading_config.py` read, checked and turned into a `Course`.

The file is nbgrader's own configuration format (traitlets); nbgrader reads its sections of it, we
read `c.Course` and the few of nbgrader's that say where things are. Whatever cannot be meant stops
here, with the file, the key, the value and the nearest right name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from traitlets.config.loader import Config, ConfigFileNotFound, PyFileConfigLoader

from autograder.course.configuration import (
    CONFIG_FILE,
    DEFAULT_BRANCH,
    Assignment,
    Course,
    ForgeOptions,
    LateRule,
    Part,
)
from autograder.course.errors import ConfigError
from autograder.course.exam import WHOLE
from autograder.course.limits import Limits
from autograder.course.marker_options import read_marker_options
from autograder.course.names import BETWEEN, find_name_fault, find_twins
from autograder.course.nearest_names import say_nearest_name
from autograder.course.submissions import Clock

ROSTER_FIELDS = (
    "student",
    "account",
    "number",
    "name",
    "email",
    "group",
)  # that an address may be made of
SECTIONS = ("Course", "CourseDirectory")
HTTP = ("https://", "http://")
SCHEDULERS = ("tcp://", "tls://", "ws://", "wss://", "ucx://")
FIND = ("place", "anywhere")
PROOF = ("leaks", "strict")
MOMENT = "a date and time like '2027-03-06 23:59'"


def find_config(start: Path) -> Path:
    """Return the nearest `grading_config.py` in a folder or above it.

    Raises
    ------
    ConfigError
        If there is none.
    """
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).exists():
            return folder / CONFIG_FILE
    raise ConfigError(
        f"no {CONFIG_FILE} in {start} or above it; run this inside the course, or name it with --config"
    )


def load_course(path: Path) -> Course:
    """Read and check a course's configuration.

    Raises
    ------
    ConfigError
        Naming the file, the key, the value found, and what would be right.
    """
    try:
        config = PyFileConfigLoader(path.name, path=str(path.parent)).load_config()
    except ConfigFileNotFound:
        what = f"a folder; name the {CONFIG_FILE} in it" if path.is_dir() else "no such file"
        raise ConfigError(f"{path}: {what}") from None
    except Exception as error:
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from None
    return _OptionReader(path.resolve(), config).course()


@dataclass(frozen=True)
class _OptionReader:
    """Reads one loaded file; knows its name for the messages."""

    path: Path
    config: Config

    def course(self) -> Course:
        wanted = {item.name for item in fields(Course)} - {
            "root",
            "sources",
            "releases",
            "autograded",
            "database",
            "markers",
            "graded",
        }
        given = dict(self.config.Course)
        for section in self.config:  # traitlets takes a misspelt one for somebody else's
            if section not in SECTIONS and difflib.get_close_matches(
                section.title(), SECTIONS, n=1, cutoff=0.75
            ):
                raise ConfigError(
                    f"{self.path.name}: nothing reads c.{section}; {say_nearest_name(section.title(), SECTIONS)}"
                )
        self.known("c.Course", given, wanted)
        for key in ("name", "assignments"):
            if key not in given:
                raise self.wrong(f"c.Course.{key}", None, "it must be set")
        zone = self.timezone(given.pop("timezone", "UTC"))
        readers: dict[str, Callable[[str, Any], Any]] = {
            "name": self.text, "upstream": self.text, "site_url": self.text, "contact": self.contact,
            "branch": self.text, "repositories": self.repositories, "layout": self.layout,
            "find": self.find, "proof": self.proof, "clock": self.clock, "forge": self.forge, "limits": self.limits,
            "lend": self.switch, "scheduler": self.scheduler,
            "notebook_mb": self.positive, "store_mb": self.positive, "workers": self.count,
            "roster": self.place, "extensions": self.place,
            "ledger": self.place, "forks": self.place, "outputs": self.place, "keys": self.place, "site": self.place,
            "assignments": lambda key, value: self.assignments(key, value, zone),
        }  # fmt: skip
        values = {key: readers[key](f"c.Course.{key}", value) for key, value in given.items()}
        root = self.path.parent
        places = {
            item.name: root / item.default
            for item in fields(Course)
            if isinstance(item.default, Path)
        }
        if "branch" not in given:
            values["graded"] = DEFAULT_BRANCH
        return Course(
            **{**places, **values, **self.from_nbgrader(), "root": root, "timezone": zone}
        )

    def from_nbgrader(self) -> dict[str, Any]:
        """What nbgrader's own section says of places, with nbgrader's defaults."""
        root = self.path.parent
        section = self.config.CourseDirectory
        return {
            "sources": root / section.get("source_directory", "source"),
            "releases": root / section.get("release_directory", "release"),
            "autograded": root / section.get("autograded_directory", "autograded"),
            "database": section.get("db_url", f"sqlite:///{root / 'gradebook.db'}"),
            "markers": read_marker_options(self.path, self.config),
        }

    def assignments(self, key: str, value: object, zone: ZoneInfo) -> dict[str, Assignment]:
        table = self.table(key, value)
        if not table:
            raise self.wrong(key, value, "it must name at least one assignment")
        found: dict[str, Assignment] = {}
        for name, value_of in table.items():
            for entry in self.notebooks(f"{key}[{name!r}]", name, value_of, zone):
                found[entry.name] = entry
        # The former names of notebooks of several, too: records and students' folders have them.
        former = [f"{entry.folder}.{entry.notebook}" for entry in found.values() if entry.folder]
        twins = find_twins([*table, *former])
        if twins is not None:
            raise self.wrong(
                key,
                twins[1],
                f"people or disks cannot tell it from {twins[0]!r}; rename one of the two",
            )
        return found

    def notebooks(self, key: str, name: str, value: object, zone: ZoneInfo) -> list[Assignment]:
        """Return an assignment, or where it has several notebooks, an entry for each of them."""
        entry = self.table(key, value)
        if "notebooks" not in entry:
            return [self.assignment(key, name, entry, zone)]
        notebooks = entry.pop("notebooks")
        if not isinstance(notebooks, (list, tuple)) or not notebooks:
            raise self.wrong(
                f"{key}['notebooks']", notebooks, "a list of names like 'problem1', without .ipynb"
            )
        whole = self.assignment(key, name, entry, zone)
        found = []
        for notebook in notebooks:
            stem = self.text(f"{key}['notebooks']", notebook)
            if stem.endswith(".ipynb"):
                raise self.wrong(f"{key}['notebooks']", stem, "the name without .ipynb is wanted")
            self.check_name(f"{key}['notebooks']", stem)
            own_name = f"{name}{BETWEEN}{stem}"
            found.append(replace(whole, name=own_name, folder=name, notebook=stem))
        twins = find_twins(entry.notebook for entry in found)
        if twins is not None:
            raise self.wrong(
                f"{key}['notebooks']",
                twins[1],
                f"people or disks cannot tell it from {twins[0]!r}; rename one of the two",
            )
        return found

    def check_name(self, key: str, name: str) -> None:
        fault = find_name_fault(name)
        if fault:
            raise self.wrong(key, name, fault)

    def assignment(self, key: str, name: str, value: object, zone: ZoneInfo) -> Assignment:
        self.check_name(key, name)
        entry = self.table(key, value)
        self.known(key, entry, ("title", "deadline", "parts", "late", "solutions"))
        if "parts" in entry and "deadline" in entry:
            raise self.wrong(
                key,
                entry["deadline"],
                "give a deadline to each part, or one to the whole, not both",
            )
        if "parts" in entry:
            table = self.table(f"{key}['parts']", entry["parts"])
            parts = tuple(
                self.part(f"{key}['parts'][{name!r}]", name, part, zone)
                for name, part in table.items()
            )
        else:
            parts = (
                Part(WHOLE, ("*",), self.moment(f"{key}['deadline']", entry.get("deadline"), zone)),
            )
        late = self.late(f"{key}['late']", entry["late"]) if entry.get("late") else None
        solutions = self.moment(f"{key}['solutions']", entry.get("solutions"), zone)
        end = max((part.deadline for part in parts if part.deadline), default=None)
        if solutions and end and solutions <= end + timedelta(days=late.days if late else 0):
            raise self.wrong(
                f"{key}['solutions']",
                entry["solutions"],
                "it must be after the last push that can count",
            )
        return Assignment(
            name, self.text(f"{key}['title']", entry.get("title", name)), parts, late, solutions
        )

    def part(self, key: str, name: str, value: object, zone: ZoneInfo) -> Part:
        entry = self.table(key, value)
        self.known(key, entry, ("exercises", "deadline"))
        exercises = entry.get("exercises")
        if not isinstance(exercises, (list, tuple)) or not exercises:
            raise self.wrong(
                f"{key}['exercises']",
                exercises,
                "a list of exercise ids or patterns like 'linear_*'",
            )
        deadline = self.moment(f"{key}['deadline']", entry.get("deadline"), zone)
        return Part(
            name, tuple(self.text(f"{key}['exercises']", item) for item in exercises), deadline
        )

    def late(self, key: str, value: object) -> LateRule:
        entry = self.table(key, value)
        self.known(key, entry, ("per_day", "days"))
        per_day = entry.get("per_day")
        if (
            not isinstance(per_day, (int, float))
            or isinstance(per_day, bool)
            or not 0 <= per_day <= 1
        ):
            raise self.wrong(
                f"{key}['per_day']", per_day, "a share of the points between 0 and 1, like 0.1"
            )
        return LateRule(float(per_day), self.count(f"{key}['days']", entry.get("days")))

    def forge(self, key: str, value: object) -> ForgeOptions:
        entry = self.table(key, value)
        self.known(key, entry, {item.name for item in fields(ForgeOptions)})
        for name in ("kind", "api", "web", "token"):
            self.text(f"{key}[{name!r}]", entry.get(name, ""))
        options = ForgeOptions(**entry)
        self.positive(f"{key}['wait']", options.wait)
        for name, address, schemes in (
            ("api", options.api, HTTP),
            ("web", options.web, (*HTTP, "file://")),
        ):
            if not address.startswith(schemes):
                raise self.wrong(
                    f"{key}[{name!r}]", address, "an address that begins with 'https://'"
                )
        return replace(options, api=options.api.rstrip("/"), web=options.web.rstrip("/"))

    def limits(self, key: str, value: object) -> Limits:
        entry = self.table(key, value)
        self.known(key, entry, {item.name for item in fields(Limits)})
        return Limits(
            **{name: self.positive(f"{key}[{name!r}]", value) for name, value in entry.items()}
        )

    def timezone(self, value: object) -> ZoneInfo:
        try:
            return ZoneInfo(self.text("c.Course.timezone", value))
        except (ZoneInfoNotFoundError, ValueError):
            raise self.wrong(
                "c.Course.timezone", value, "a name like 'Europe/Budapest' or 'UTC'"
            ) from None

    def moment(self, key: str, value: object, zone: ZoneInfo) -> datetime | None:
        if value is None:
            return None
        try:
            return read_moment(value, zone)
        except ValueError:
            raise self.wrong(key, value, MOMENT) from None

    def clock(self, key: str, value: object) -> Clock:
        try:
            return Clock(str(value))
        except ValueError:
            raise self.wrong(
                key, value, say_nearest_name(str(value), [clock.value for clock in Clock])
            ) from None

    def scheduler(self, key: str, value: object) -> str:
        if not self.text(key, value).startswith(SCHEDULERS):
            raise self.wrong(
                key, value, "the address of a Dask scheduler, like 'tls://10.0.0.1:8786'"
            )
        return str(value)

    def repositories(self, key: str, value: object) -> str:
        pattern = self.text(key, value)
        try:
            names = {name for _, name, _, _ in Formatter().parse(pattern) if name is not None}
        except ValueError:
            names = set()
        of_assignment = {"assignment", "folder"}
        if not names & of_assignment or not names <= {*of_assignment, *ROSTER_FIELDS}:
            places = ", ".join(f"{{{name}}}" for name in ROSTER_FIELDS)
            raise self.wrong(
                key,
                value,
                f"an address with {{assignment}} or {{folder}} and one of {places} in it",
            )
        return pattern

    def layout(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, (list, tuple)) or not value:
            raise self.wrong(
                key, value, "a list of patterns like '{assignment}/{assignment}.ipynb' or '*.ipynb'"
            )
        patterns = tuple(self.text(key, pattern) for pattern in value)
        for pattern in patterns:
            bare = re.sub(r"\{(?:assignment|folder|notebook)\}", "", pattern)
            if not pattern.endswith(".ipynb") or "{" in bare or "}" in bare:
                raise self.wrong(
                    key,
                    pattern,
                    "a path to .ipynb, with {assignment}, or {folder} and {notebook}, in it",
                )
        return patterns

    def find(self, key: str, value: object) -> str:
        if value not in FIND:
            raise self.wrong(key, value, say_nearest_name(str(value), FIND))
        return str(value)

    def proof(self, key: str, value: object) -> str:
        if value not in PROOF:
            raise self.wrong(key, value, say_nearest_name(str(value), PROOF))
        return str(value)

    def contact(self, key: str, value: object) -> str:
        if not self.text(key, value).startswith(("mailto:", "https://")):
            raise self.wrong(
                key,
                value,
                "an address like 'mailto:…' or 'https://…' at which to ask for a regrade",
            )
        return str(value)

    def place(self, key: str, value: object) -> Path:
        return self.path.parent / self.text(key, value)

    def text(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.wrong(key, value, "a text in quotes")
        return value

    def switch(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(key, value, "True or False")
        return value

    def positive(self, key: str, value: object) -> Any:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0:
            raise self.wrong(key, value, "a number greater than 0")
        return value

    def count(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.wrong(key, value, "a whole number, 0 or more")
        return value

    def table(self, key: str, value: object) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise self.wrong(key, value, "a dictionary with names as keys")
        return dict(value)

    def known(self, key: str, given: Iterable[str], wanted: Iterable[str]) -> None:
        for name in given:
            if name not in wanted:
                where = f"{key}.{name}" if key == "c.Course" else f"{key}[{name!r}]"
                raise ConfigError(
                    f"{self.path.name}: {where} is not an option; {say_nearest_name(name, wanted)}"
                )

    def wrong(self, key: str, value: object, right: str) -> ConfigError:
        return ConfigError(f"{self.path.name}: {key} is {value!r}; {right}")


def read_moment(value: object, zone: ZoneInfo) -> datetime:
    """Read a date and time, in the given zone unless it names its own, as an aware one in UTC.

    Raises
    ------
    ValueError
        If it is no ISO date with a time.
    """
    text = value.isoformat(" ") if isinstance(value, datetime) else value
    if not isinstance(text, str) or not re.match(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", text):
        raise ValueError(f"{value!r} is not {MOMENT}")
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
