"""A class of two hundred, some of them hostile or broken in every way known: the others get what they get alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from broken_students import FAULTS
from jails import eventually, list_children
from small_class import NO_DEADLINE_SOON, Class
from small_course import CONFIG, SmallCourse, code, dump, solution, test

from autograder.course.configuration import Course
from autograder.course.configuration_file import load_course
from autograder.course.exam import Exam, read_exam
from autograder.course.reports import Report
from autograder.course.submissions import NotebookFile, Student, Submission
from autograder.gradebook.gradebook_database import open_gradebook
from autograder.grader.examiner import Examiner
from autograder.grading.grading_run import grade_tasks
from autograder.jail import Limits
from autograder.record.ledger import Ledger
from autograder.record.open_tasks import GradingTask
from autograder.rehearsal.forge_on_disk import BareRepository

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_zygotes")]

# Of processor time: who is honest needs a tenth of a second of it, who is hostile uses up what there is.
LIMITS = Limits(
    cell_seconds=0.5, call_seconds=0.5, seconds=1.5, memory_mb=400, processes=48, disk_mb=16
)
ANSWERS = {
    "right": "def double(x):\n    return 2 * x",
    "wrong": "def double(x):\n    return x * x",
    "stub": "def double(x):\n    raise NotImplementedError",
    "raising": "def double(x):\n    raise ValueError(x)",
}
HOSTILE = {
    "forks without end": "import os\nwhile True:\n    os.fork()",
    "threads without end": "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,)).start()",
    "memory without end": "hoard = []\nwhile True:\n    hoard.append(bytearray(1 << 24))",
    "shared memory": "import mmap\nhoard = []\nwhile True:\n    m = mmap.mmap(-1, 1 << 26); m.write(b'x' * (1 << 26)); hoard.append(m)",
    "disk without end": "f = open('big', 'wb')\nwhile True:\n    f.write(b'x' * (1 << 20))",
    "files without end": "n = 0\nwhile True:\n    open(f'f{n}', 'w').close(); n += 1",
    "output without end": "while True:\n    print('x' * 10000)",
    "kills everything": "import os, signal\nfor pid in range(1, 5000):\n    try: os.kill(pid, signal.SIGKILL)\n    except OSError: pass\nos.kill(-1, signal.SIGKILL)",
    "stops everything": "import os, signal\nos.kill(-1, signal.SIGSTOP)",
    "ignores signals": "import signal\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
    "leaves a daemon": "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(600)\n    os._exit(0)",
    "closes all descriptors": "import os\nos.closerange(0, 1000)",
    "floods the protocol": "import os\nfor fd in range(3, 64):\n    try:\n        for _ in range(1000): os.write(fd, b'\\xff' * 65536)\n    except OSError: pass",
    "forges replies": "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\x00' * 7 + b'\\x05' + b'\\x93\\x01\\x02\\x03\\x04')\n    except OSError: pass",
    "exits": "import os\nos._exit(0)",
    "crashes": "import ctypes\nctypes.string_at(1)",
    "recurses": "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    "patches everything": "import numpy.testing, builtins\nnumpy.testing.assert_allclose = builtins.print = lambda *a, **k: None\nbuiltins.abs = builtins.isinstance = lambda *a: True",
    "vouches for itself": "class Yes:\n    __eq__ = __lt__ = __gt__ = lambda *a: True\n    __array__ = lambda *a, **k: __import__('numpy').array(42)\ndouble = lambda x: Yes()",
    "opens the network": "import socket\nsocket.create_connection(('127.0.0.1', 22), 1)",
}  # fmt: skip
STUDENTS = 200
ENOUGH = 48  # leaves 21 who are honest, of every kind: what 200 add is length


def content(student: str, answer: str, attack: str = "") -> bytes:
    cells = [
        code(f"# {student}"),
        *([code(attack)] if attack else []),
        solution(answer),
        test("", "double"),
    ]
    return dump(cells)


def write_course(small: SmallCourse) -> None:
    small.write(solution("def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"),
                test("### BEGIN HIDDEN TESTS\nassert double(21) == 42\n### END HIDDEN TESTS"))  # fmt: skip
    small.config.write_text(CONFIG)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Course, Exam]:
    small = SmallCourse(tmp_path_factory.mktemp("class"))
    write_course(small)
    loaded = load_course(small.config)
    return replace(loaded, limits=LIMITS, workers=2), read_exam(small.source)


def leftovers(scratch: Path) -> set[str]:
    """What a jail could leave behind: files, mounts, processes, and control groups of processes that are gone."""
    groups = [path.name for path in Path("/sys/fs/cgroup").rglob("autograder-*") if path.is_dir()]
    orphans = [name for name in groups if not Path(f"/proc/{name.split('-')[1]}").exists()]
    mounts = [
        line for line in Path("/proc/self/mounts").read_text().splitlines() if "autograder" in line
    ]
    files = [path.name for path in scratch.iterdir()]
    return {*orphans, *mounts, *files, *(f"process {process}" for process in list_children())}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("size", [ENOUGH, pytest.param(STUDENTS, marks=pytest.mark.release)])
def test_of_a_class_the_hostile_and_the_broken_harm_only_themselves(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A whole run over bare repositories: who is honest gets exactly what they get alone, and pages are built."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    small = Class(SmallCourse(tmp_path / "class"))
    write_course(small.course)
    small.configure(NO_DEADLINE_SOON)
    small.configure(f"c.Course.limits = {asdict(LIMITS)!r}\nc.Course.workers = 2")
    broken = [f"broken-{number}" for number in range(len(FAULTS))]
    small.enrol(*broken)
    assert small.run()[0] == 0  # what is broken was whole once
    attacks = dict(
        zip([f"hostile-{number}" for number in range(len(HOSTILE))], HOSTILE.values(), strict=True)
    )
    honest = [f"honest-{number}" for number in range(size - len(attacks) - len(broken))]
    kinds = {student: list(ANSWERS)[number % len(ANSWERS)] for number, student in enumerate(honest)}
    mixed = [*broken, *attacks, *honest]
    Random(size).shuffle(mixed)
    small.enrol(*mixed)
    for student, kind in kinds.items():
        small.push(student, content(student, ANSWERS[kind]), "homework")
    for student, attack in attacks.items():
        small.push(student, content(student, ANSWERS["wrong"], attack), "homework")
    for student, (fault, _) in zip(broken, FAULTS.values(), strict=True):
        fault(small, student)
    before = leftovers(scratch)
    capfd.readouterr()

    code, points = small.run()

    errors = capfd.readouterr().err
    assert (code, "Traceback" in errors) == (1, False), errors
    for student, (_, sentence) in zip(broken, FAULTS.values(), strict=True):
        assert sentence.format(student) in errors, errors
    assert not any(f"{student}:" in errors for student in honest), errors
    ledger = Ledger(small.root / "ledger")
    alone = dict(_alone(read_exam(small.course.source), LIMITS, list(ANSWERS)))
    for student, kind in kinds.items():
        assert _told(ledger.read(student).graded[-1].report) == alone[kind], student
    assert {student: points[student] for student in attacks} == dict.fromkeys(attacks, 0.0)
    assert small.page_count() == size
    with open_gradebook(load_course(small.course.config)) as book:
        scores = {entry.student.id: entry.score for entry in book.assignment_submissions("hw")}
    begun = [
        student for student in honest if kinds[student] != "stub"
    ]  # the others handed in nothing
    assert {student: scores[student] for student in begun} == {
        student: points[student] for student in begun
    }
    assert not scores.keys() & (set(honest) - set(begun))
    # What other tests have may come, for a moment, and go: what is this class's would stay.
    new = leftovers(scratch) - before
    assert eventually(lambda: not new & leftovers(scratch)), new & leftovers(scratch)


def test_a_notebook_that_is_gone_fails_alone(course: tuple[Course, Exam], tmp_path: Path) -> None:
    loaded, exam = course
    loaded = replace(
        loaded, forks=tmp_path / "forks", ledger=tmp_path / "ledger", outputs=tmp_path / "outputs"
    )
    good = _task(loaded, "honest", content("honest", ANSWERS["right"]))
    gone = replace(
        _task(loaded, "gone", content("gone", ANSWERS["right"])),
        file=NotebookFile("hw.ipynb", "0" * 40, 9),
    )
    done = {
        finished.task.student.id: finished
        for finished in grade_tasks(loaded, {"hw": exam}, [gone, good])
    }
    assert done["honest"].report.points == 2.0
    assert "gone, hw" in done["gone"].error


def _alone(exam: Exam, limits: Limits, kinds: list[str]) -> Iterator[tuple[str, str]]:
    with Examiner(limits) as examiner:
        for kind in kinds:
            yield (
                kind,
                _told(
                    examiner.examine(
                        exam, Submission("hw", "hw.ipynb", content("x", ANSWERS[kind]))
                    ).report
                ),
            )


def _told(report: Report) -> str:
    return json.dumps(replace(report, seconds=0.0, notebook="").to_json())


def _task(course: Course, student: str, notebook: bytes) -> GradingTask:
    store = BareRepository(course.forks / f"{student}.git", course.branch)
    store.create()
    store.push({"hw.ipynb": notebook}, "homework", datetime(2027, 3, 1, tzinfo=UTC))
    file = NotebookFile("hw.ipynb", store.blob("hw.ipynb"), len(notebook))
    return GradingTask("hw", file, Student(student, ""), [(student, "commit")])
