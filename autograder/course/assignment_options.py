"""What `c.Course.assignments` says: titles, notebooks, parts with their deadlines, late rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from autograder.course.configuration import Assignment, LateRule, Part
from autograder.course.exam import WHOLE
from autograder.course.names import BETWEEN, find_name_fault, find_twins, name_formerly
from autograder.course.option_values import OptionValues


@dataclass(frozen=True)
class AssignmentOptions(OptionValues):
    """Reads the assignments of one file."""

    def assignments(self, key: str, value: object, zone: ZoneInfo) -> dict[str, Assignment]:
        """Return an entry for each notebook of each assignment, by its name."""
        table = self.table(key, value)
        if not table:
            raise self.wrong(key, value, "it must name at least one assignment")
        found: dict[str, Assignment] = {}
        for name, value_of in table.items():
            for entry in self.notebooks(f"{key}[{name!r}]", name, value_of, zone):
                found[entry.name] = entry
        # The former names of notebooks of several, too: records and students' folders have them.
        former = [name_formerly(name) for name in found if BETWEEN in name]
        self.check_twins(key, [*table, *former])
        return found

    def notebooks(self, key: str, name: str, value: object, zone: ZoneInfo) -> list[Assignment]:
        """Return an assignment, or where it has several notebooks, an entry for each of them."""
        entry = self.table(key, value)
        # One listed notebook is several, too: its name need not be that of its folder.
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
            found.append(replace(whole, name=f"{name}{BETWEEN}{stem}"))
        self.check_twins(f"{key}['notebooks']", [entry.notebook for entry in found])
        return found

    def check_name(self, key: str, name: str) -> None:
        """Refuse what cannot be a name."""
        fault = find_name_fault(name)
        if fault:
            raise self.wrong(key, name, fault)

    def check_twins(self, key: str, names: Iterable[str]) -> None:
        """Refuse names that cannot be told apart."""
        twins = find_twins(names)
        if twins is not None:
            raise self.wrong(
                key,
                twins[1],
                f"people or disks cannot tell it from {twins[0]!r}; rename one of the two",
            )

    def assignment(self, key: str, name: str, value: object, zone: ZoneInfo) -> Assignment:
        """Return an assignment, as if it had one notebook."""
        self.check_name(key, name)
        entry = self.table(key, value)
        self.known(key, entry, ("title", "deadline", "parts", "late", "solutions"))
        if "parts" in entry and "deadline" in entry:
            raise self.wrong(
                key,
                entry["deadline"],
                "give a deadline to each part, or one to the whole, not both",
            )
        parts = self.parts(key, entry, zone)
        late = self.late(f"{key}['late']", entry["late"]) if entry.get("late") else None
        solutions = self.moment(f"{key}['solutions']", entry.get("solutions"), zone)
        end = max((part.deadline for part in parts if part.deadline), default=None)
        # Whoever may still push late must not find the solution published.
        if solutions and end and solutions <= end + timedelta(days=late.days if late else 0):
            raise self.wrong(
                f"{key}['solutions']",
                entry["solutions"],
                "it must be after the last push that can count",
            )
        return Assignment(
            name, self.text(f"{key}['title']", entry.get("title", name)), parts, late, solutions
        )

    def parts(self, key: str, entry: Mapping[str, object], zone: ZoneInfo) -> tuple[Part, ...]:
        """Return the parts of an assignment; without any, the whole is one."""
        if "parts" not in entry:
            deadline = self.moment(f"{key}['deadline']", entry.get("deadline"), zone)
            return (Part(WHOLE, ("*",), deadline),)
        found = []
        for name, part in self.table(f"{key}['parts']", entry["parts"]).items():
            found.append(self.part(f"{key}['parts'][{name!r}]", name, part, zone))
        return tuple(found)

    def part(self, key: str, name: str, value: object, zone: ZoneInfo) -> Part:
        """Return a part and its deadline."""
        entry = self.table(key, value)
        self.known(key, entry, ("exercises", "deadline"))
        exercises = entry.get("exercises")
        # A text would pass for a sequence, and each of its letters for a pattern.
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
        """Return a late rule."""
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
