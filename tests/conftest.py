"""Fixtures shared by the tests: a small course in a folder, notebooks built by hand."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from autograder.config import Course
from autograder.grader.examiner import Examiner
from autograder.jail import RungReport, probe
from autograder.jail.keeper import Keeper
from autograder.publishing.release import release

REPOSITORY = Path(__file__).parents[1]
# A clone may be somebody else's, and a failure is found again by the seed of pytest-randomly.
settings.register_profile("nothing is written into the clone", database=None)
settings.load_profile("nothing is written into the clone")

CONFIG = """\
c = get_config()
c.Course.name = "A small course"
c.Course.timezone = "Europe/Budapest"
c.Course.workers = 1  # a process more would import everything once more, for two or three notebooks
c.Course.assignments = {"hw": {"title": "Homework", "deadline": "2027-03-06 23:59"}}
c.CourseDirectory.course_id = "small"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "assignments"
c.CourseDirectory.ignore = ["mistakes.py", "alternatives.py", "shortcuts.py"]
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
"""

DOUBLE = '''\
def double(x):
    """Return twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
'''
TEST_DOUBLE = """\
assert double(1) == 2, "twice one is two"
### BEGIN HIDDEN TESTS
assert double(21) == 42
### END HIDDEN TESTS
"""
MISTAKES = """\
from autograder.mistakes import Mistakes

mistakes = Mistakes("hw")


@mistakes.of("double", hint="Twice is not squared.")
def squared(x):
    return x * x
"""


def code(source: str, **marks: Any) -> dict[str, Any]:
    """A code cell, with nbgrader's metadata where any is given."""
    return cell("code", source, **marks) | {"execution_count": None, "outputs": []}


def text(source: str, **marks: Any) -> dict[str, Any]:
    """A markdown cell."""
    return cell("markdown", source, **marks)


def cell(kind: str, source: str, **marks: Any) -> dict[str, Any]:
    base = {"grade": False, "solution": False, "locked": False, "schema_version": 3, "task": False}
    metadata = {"nbgrader": base | marks} if marks else {}
    name = marks.get("grade_id") or f"cell-{abs(hash(source)) % 10**8}"
    return {"cell_type": kind, "id": name[:60], "metadata": metadata, "source": source}


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": list(cells), "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def dump(cells: Iterable[dict[str, Any]]) -> bytes:
    return json.dumps(notebook(*cells)).encode()


def solution(source: str, grade_id: str = "double_solution") -> dict[str, Any]:
    return code(source, grade_id=grade_id, solution=True)


def test(source: str, grade_id: str = "double", points: float = 2) -> dict[str, Any]:
    return code(source, grade_id=grade_id, grade=True, locked=True, points=points)


test.__test__ = False  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------------------ lanes


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """Hold the tests of `make test-fast` to their lane: they start no jail."""
    if not starts_no_jail(item.config):
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "__init__", _refuse_a_jail)
        return (yield)


def _refuse_a_jail(*_: object, **__: object) -> None:
    pytest.fail("this test starts a jail: mark it with @pytest.mark.slow, or its module with pytestmark")


LONGEST = (
    "test_instructors_guide.py",
    "test_term.py",
    "test_practice.py",
    "test_as_others.py",
    "test_class.py",
    "test_nbgrader_agrees.py",
    "test_faults.py",
    "test_demonotebooks.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that no process is left alone with one; else the order stays as it is."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


# ------------------------------------------------------------------------------------------------------------ rungs

REPORTS = pytest.StashKey[list[RungReport]]()


def reports(config: pytest.Config) -> list[RungReport]:
    """Return which rungs work on this machine; found out once for all processes of a test run."""
    if REPORTS not in config.stash:
        told = getattr(config, "workerinput", {}).get("rungs")
        config.stash[REPORTS] = [RungReport(*report) for report in told] if told else list(probe())
    return config.stash[REPORTS]


def starts_no_jail(config: pytest.Config) -> bool:
    return "not slow" in config.getoption("markexpr")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist what works, since all must collect the same tests."""
    if not starts_no_jail(node.config):
        node.workerinput["rungs"] = [astuple(report) for report in reports(node.config)]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what takes a `rung` on every rung that works here."""
    if "rung" not in metafunc.fixturenames:
        return
    config, marks = metafunc.config, {mark.name for mark in metafunc.definition.iter_markers()}
    rungs = [] if starts_no_jail(config) else [report.rung for report in reports(config) if report.works]
    at_release = rungs[:1] if "strongest_at_release" in marks else []
    parameters = [pytest.param(rung, marks=pytest.mark.release if rung in at_release else ()) for rung in rungs]
    metafunc.parametrize("rung", parameters, ids="rung{}".format, scope="module")


# ------------------------------------------------------------------------------------------------------------ skips


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Count what was skipped by its reason, and say which rungs were left out."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    left_out = [report for report in config.stash.get(REPORTS, []) if not report.works]
    if not reasons and not left_out:
        return
    terminalreporter.section("not run here, by reason")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count:4} skipped: {reason}")
    for report in left_out:
        terminalreporter.line(f"rung {report.rung} does not work here: {report.reason}")


@pytest.fixture(autouse=True)
def startable_main() -> None:
    """Let multiprocessing start a process from here: the `__main__` of xdist or IPython lacks what it asks."""
    main = sys.modules["__main__"]
    if not hasattr(main, "__spec__"):
        main.__spec__ = None


def released_notebook(course: Course, name: str, folder: Path, examiner: Examiner) -> bytes:
    """What students get of a homework; made here where it is not released: a course takes out what comes later."""
    if not course.release(name).exists():
        course = replace(course, releases=folder / "assignments", database=f"sqlite:///{folder / 'gradebook.db'}")
        release(course, name, examiner)
    return course.release(name).read_bytes()


@dataclass(frozen=True)
class SmallCourse:
    """A course of one assignment in a folder."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "grading_config.py"

    @property
    def source(self) -> Path:
        return self.root / "solutions" / "hw" / "hw.ipynb"

    def write(self, *cells: dict[str, Any]) -> Path:
        self.source.parent.mkdir(parents=True, exist_ok=True)
        self.source.write_text(json.dumps(notebook(*cells)))
        return self.source


@pytest.fixture
def small_course(tmp_path: Path) -> SmallCourse:
    """A course whose one exercise is to double a number."""
    return make_small_course(tmp_path / "course")


def make_small_course(folder: Path) -> SmallCourse:
    """Write the small course into a folder that is not there yet."""
    course = SmallCourse(folder)
    course.write(text("# Homework"), code("import math"), solution(DOUBLE), test(TEST_DOUBLE))
    course.config.write_text(CONFIG)
    (course.root / "nbgrader_config.py").write_text('load_subconfig("grading_config.py")')
    (course.source.parent / "mistakes.py").write_text(MISTAKES)
    return course
