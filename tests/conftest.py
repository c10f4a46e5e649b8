"""What all tests have in common: their lanes, the rungs they run on, why some were left out, a small course."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from lent_zygotes import lend_zygotes, start_own_zygotes
from meeting import VARIABLE, Meeting
from public_course import a_person, public_course, public_course_as_made
from small_course import SmallCourse, make_small_course
from warm_autograder import (
    FORKING,
    WORKER_POOL,
    remember_alembic_version,
    remember_templates,
)
from xdist.scheduler import LoadFileScheduling

from autograder.cli.application import leave_out_grammars
from autograder.jail import RungReport, try_rungs
from autograder.jail.keeper import Keeper

# A clone may be somebody else's, and a failure is found again by the seed of pytest-randomly.
settings.register_profile("nothing is written into the clone", database=None)
settings.load_profile("nothing is written into the clone")

leave_out_grammars()  # every process that runs tests would compile them, for more than a second

# Fixtures that lie with what they are of.
__all__ = ["a_person", "public_course", "public_course_as_made"]

MEETING = pytest.StashKey[Meeting]()


def pytest_configure(config: pytest.Config) -> None:
    """Let the processes of this test run share one warm `autograder` and zygotes, see tests/support/meeting.py."""
    # What is made for a web server is looked at: not as this person would have it, but as most do.
    os.umask(0o022)
    if not hasattr(config, "workerinput"):
        config.stash[MEETING] = Meeting()
    if not starts_no_jail(config):
        lend_zygotes(Path(os.environ[VARIABLE]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the processes of this test run have shared."""
    if MEETING in config.stash:
        config.stash[MEETING].end()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[object]:
    """Keep what is collected out of all collections of garbage: it stays, and in a fork a look at it is a copy."""
    gc.disable()
    try:
        return (yield)  # type: ignore[misc]
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


# ------------------------------------------------------------------------------------------------------------ lanes


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """Hold the tests of `make test-fast` to their lane: they start no jail."""
    if not starts_no_jail(item.config):
        return (yield)  # type: ignore[misc]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "__init__", _refuse_a_jail)
        return (yield)  # type: ignore[misc]


def _refuse_a_jail(*_: object, **__: object) -> None:
    pytest.fail(
        "this test starts a jail: mark it with @pytest.mark.slow, or its module with pytestmark"
    )


WHOLLY_SLOW = re.compile(r"^pytestmark = (\[\s*)?pytest\.mark\.(slow|release)\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out of `make test-fast`, before they are imported, the files of which it would run nothing.

    They bring nbgrader, browsers and clusters, which would be a third of the lane's time.
    """
    if not collection_path.name.startswith("test_") or not starts_no_jail(config):
        return None
    return True if WHOLLY_SLOW.search(collection_path.read_text(encoding="utf-8")) else None


# By how long they took; the last of them are the longest of `make test-fast`.
LONGEST = (
    "test_student_commands.py",
    "test_instructors_guide.py",
    "test_as_others.py",
    "test_demonotebooks.py",
    "test_pages_browser.py",
    "test_term.py",
    "test_release.py",
    "test_jailed_autograde.py",
    "test_cluster_run.py",
    "test_faults.py",
    "test_examiner.py",
    "test_practice_class.py",
    "test_publish.py",
    "test_class_of_two_hundred.py",
    "test_stretch_goals.py",
    "test_astray_work.py",
    "test_audit.py",
    "test_walls.py",
    "test_adopting.py",
    "test_nbgrader_agrees.py",
    "test_verification.py",
    "test_attacks.py",
    "test_jail.py",
    "test_marking_by_hand.py",
    "test_forge.py",
    "test_formgrader_button.py",
    "test_git.py",
    "test_figures.py",
    "test_wire.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that no process is left alone with one; else the order stays as it is."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


# A file that looks at what another has made is run by the same process: the demonstrations are executed once.
TOGETHER = {"test_claims.py": "test_demonotebooks.py"}


class ByFile(LoadFileScheduling):  # type: ignore[misc]
    """One process runs a file of tests, and those that share with it."""

    def _split_scope(self, nodeid: str) -> str:
        folder, _, name = str(super()._split_scope(nodeid)).rpartition("/")
        return f"{folder}/{TOGETHER.get(name, name)}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


# ------------------------------------------------------------------------------------------------------------ rungs

REPORTS = pytest.StashKey[list[RungReport]]()


def reports(config: pytest.Config) -> list[RungReport]:
    """Return which rungs work on this machine; found out once for all processes of a test run."""
    if REPORTS not in config.stash:
        told = getattr(config, "workerinput", {}).get("rungs")
        config.stash[REPORTS] = (
            [RungReport(*report) for report in told] if told else list(try_rungs())
        )
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
    rungs = (
        []
        if starts_no_jail(config)
        else [report.rung for report in reports(config) if report.works]
    )
    at_release = rungs[:1] if "strongest_at_release" in marks else []
    parameters = [
        pytest.param(rung, marks=pytest.mark.release if rung in at_release else ())
        for rung in rungs
    ]
    metafunc.parametrize("rung", parameters, ids="rung{}".format, scope="module")


# ------------------------------------------------------------------------------------------------------------ skips


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
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


@pytest.fixture(autouse=True)
def quick_gradebooks() -> None:
    """Let new gradebooks of nbgrader begin without a program that is started for each; all but the first."""
    remember_alembic_version()


@pytest.fixture(scope="session", autouse=True)
def quick_templates() -> None:
    """Compile the templates of pages once for all tests."""
    remember_templates(Path(os.environ[VARIABLE]))


@pytest.fixture(autouse=True)
def quick_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the processes that grade; tests/grading/test_worker_pool.py has them as they are outside of tests."""
    if WORKER_POOL in sys.modules:
        monkeypatch.setattr(sys.modules[WORKER_POOL], "multiprocessing", FORKING)


@pytest.fixture(scope="module")
def own_zygotes() -> Iterator[None]:
    """Start zygotes as outside of tests: for those that count, kill or look at them."""
    with start_own_zygotes():
        yield


@pytest.fixture
def hears_interrupts() -> Iterator[None]:
    """Undo what a shell does to its background jobs: they, and all that they start, are deaf to Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def small_course(tmp_path: Path) -> SmallCourse:
    """A course whose one exercise is to double a number."""
    return make_small_course(tmp_path / "course")
