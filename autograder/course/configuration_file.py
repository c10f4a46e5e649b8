"""`grading_config.py` read, checked and turned into a `Course`.

The file is nbgrader's own configuration format (traitlets); nbgrader reads its sections of it, we
read `c.Course` and the few of nbgrader's that say where things are. Whatever cannot be meant stops
here, with the file, the key, the value and the nearest right name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from string import Formatter
from typing import Any

from traitlets.config.loader import Config, ConfigFileNotFound, PyFileConfigLoader

from autograder.course.assignment_options import AssignmentOptions
from autograder.course.configuration import (
    CONFIG_FILE,
    DEFAULT_BRANCH,
    Course,
    ForgeOptions,
)
from autograder.course.database_addresses import SQLITE, address_database, is_cut_short
from autograder.course.errors import ConfigError
from autograder.course.limits import Limits
from autograder.course.marker_options import read_marker_options
from autograder.course.nearest_names import say_nearest_name
from autograder.course.option_values import OptionValues
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
    except Exception as error:  # the file is a program, and may raise whatever it likes
        raise ConfigError(f"{path}: {type(error).__name__}: {error}") from None
    # Resolved, for places must stay where they are when a known answer changes the folder.
    return _CourseOptions(path.resolve(), config).course()


@dataclass(frozen=True)
class _CourseOptions(OptionValues):
    """Reads what one loaded file says of a course."""

    config: Config

    def course(self) -> Course:
        # These are nbgrader's to say, or follow from the rest: nobody sets them a second way.
        wanted = {item.name for item in fields(Course)} - {
            "root",
            "sources",
            "releases",
            "autograded",
            "submitted",
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
        # First of all, since dates that name no zone are read with it.
        zone = self.timezone(given.pop("timezone", "UTC"))
        read_assignments = AssignmentOptions(self.path).assignments
        readers: dict[str, Callable[[str, Any], Any]] = {
            "name": self.text, "upstream": self.text, "site_url": self.text, "contact": self.contact,
            "branch": self.text, "repositories": self.repositories, "layout": self.layout,
            "find": self.find, "proof": self.proof, "clock": self.clock, "forge": self.forge, "limits": self.limits,
            "lend": self.switch, "scheduler": self.scheduler,
            "notebook_mb": self.positive, "store_mb": self.positive, "workers": self.count,
            "roster": self.place, "extensions": self.place,
            "ledger": self.place, "forks": self.place, "outputs": self.place, "keys": self.place, "site": self.place,
            "assignments": lambda key, value: read_assignments(key, value, zone),
        }  # fmt: skip
        values = {}
        for key, value in given.items():
            values[key] = readers[key](f"c.Course.{key}", value)
        root = self.path.parent
        places = {}
        for item in fields(Course):
            if isinstance(item.default, Path):
                places[item.name] = root / item.default
        # Whoever names no branch takes each student's default, `main` or `master`.
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
            "submitted": root / section.get("submitted_directory", "submitted"),
            "database": self.database(section, root),
            "markers": read_marker_options(self.path, self.config),
        }

    def database(self, section: Mapping[str, Any], root: Path) -> str:
        """Return the address of nbgrader's gradebook."""
        address = str(section.get("db_url", address_database(root / "gradebook.db")))
        if is_cut_short(address):
            file = Path(address.removeprefix(SQLITE))
            raise self.wrong(
                "c.CourseDirectory.db_url",
                address,
                f"what follows a ? is taken for options: write {address_database(file)!r}",
            )
        return address

    def forge(self, key: str, value: object) -> ForgeOptions:
        entry = self.table(key, value)
        self.known(key, entry, {item.name for item in fields(ForgeOptions)})
        for name in ("kind", "api", "web", "token"):
            self.text(f"{key}[{name!r}]", entry.get(name, ""))
        options = ForgeOptions(**entry)
        self.positive(f"{key}['wait']", options.wait)
        for name, address, schemes in (
            ("api", options.api, HTTP),
            # A forge need be no server: its repositories may lie in a folder.
            ("web", options.web, (*HTTP, "file://")),
        ):
            if not address.startswith(schemes):
                raise self.wrong(
                    f"{key}[{name!r}]", address, "an address that begins with 'https://'"
                )
        # Paths are put behind them with a slash of their own.
        return replace(options, api=options.api.rstrip("/"), web=options.web.rstrip("/"))

    def limits(self, key: str, value: object) -> Limits:
        entry = self.table(key, value)
        self.known(key, entry, {item.name for item in fields(Limits)})
        given = {}
        for name, number in entry.items():
            given[name] = self.positive(f"{key}[{name!r}]", number)
        return Limits(**given)

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
        names = set()
        try:
            for _, name, _, _ in Formatter().parse(pattern):
                if name is not None:
                    names.add(name)
        except ValueError:
            # A brace without its partner is refused below, with what would be right.
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
