"""A campaign of faults: every command that writes is killed, interrupted or left without disk at every named place.

After each fault the same command runs once more, undisturbed. Then everything is as if nothing had happened: the same
entries in the ledger, each once, the same points, gradebook, pages and branches, and nothing is left behind: no
process, no temporary file, no lock.

    python tests/support/campaign.py                every place at its first and its last time, every fault
    python tests/support/campaign.py run            only the command `run`
    python tests/support/campaign.py --once         every place once, the faults in turn
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import meeting
import psutil
import warm_autograder
from small_course import CONFIG, DOUBLE, TEST_DOUBLE, SmallCourse, code, dump, solution, test, text

from autograder.classroom.classroom import Classroom
from autograder.course.faults import VARIABLE
from autograder.rehearsal.forge_on_disk import BareRepository
from autograder.verifying.projection_check import database_file, read_scores
from autograder.verifying.verification import verify_course

FAULTS = ("kill", "term", "interrupt", "full")
PUSHED = datetime(2026, 3, 1, tzinfo=UTC)
HOMEWORK = "assignments/hw/hw_solved.ipynb"
ANSWERS = {
    "all-right": "def double(x):\n    return x + x",
    "wrong": "def double(x):\n    return x * x",
}
README = "# {{name}}\n\n{{assignments}}\n\nFork {{upstream}}, clone {{fork}}; points: {{page}}.\n"
# What each command is, and what has to be done before it.
COMMANDS = {
    "collect": (("collect",), ()),
    "run": (("run",), ()),
    "record": (
        ("record", "../reports"),
        (("collect",), ("bundle", "../bundle"), ("grade-bundle", "../bundle", "../reports")),
    ),
    "state push": (("state", "push"), (("run",),)),
    "publish": (("publish",), (("release", "hw"),)),
}


@dataclass(frozen=True)
class World:
    """A course, its students' repositories and the instructors' and public repositories, all in one folder."""

    folder: Path

    @property
    def small(self) -> SmallCourse:
        return SmallCourse(self.folder / "course")

    @property
    def temporary(self) -> Path:
        """Where temporary files of the commands go."""
        return self.folder / "tmp"

    @classmethod
    def make(cls, folder: Path) -> World:
        world = cls(folder)
        small = world.small
        small.write(text("# Homework"), code("import math"), solution(DOUBLE), test(TEST_DOUBLE))
        public, instructors = (
            BareRepository(folder / name, "master") for name in ("public.git", "instructors.git")
        )
        public.create()
        instructors.create()
        small.config.write_text(
            f"{CONFIG}\nc.Course.upstream = {str(public.path)!r}\nc.Course.workers = 1\n"
            f"c.CourseDirectory.db_url = 'sqlite:///' + {str(small.root / 'gradebook.db')!r}\n"
        )
        (small.root / "nbgrader_config.py").write_text('load_subconfig("grading_config.py")')
        (small.root / "docs").mkdir()
        (small.root / "docs" / "public-readme.md").write_text(README)
        (small.root / "LICENSE").write_text("MIT\n")
        rows = ["student,remote"]
        for student, answer in ANSWERS.items():
            fork = BareRepository(folder / "forks" / f"{student}.git", "master")
            fork.create()
            fork.push({HOMEWORK: dump([text("# Homework"), solution(answer)])}, "Homework", PUSHED)
            rows.append(f"{student},{fork.path}")
        (small.root / "roster.csv").write_text("\n".join(rows) + "\n")
        world.temporary.mkdir()
        for words in (("init", "--quiet"), ("remote", "add", "origin", str(instructors.path))):
            subprocess.run(["git", *words], cwd=small.root, check=True, capture_output=True)
        return world

    def copy(self, folder: Path) -> World:
        """The same world elsewhere; what it has from this folder's name is of the new one."""
        shutil.copytree(self.folder, folder, symlinks=True)
        for path in (folder / "course" / "grading_config.py", folder / "course" / "roster.csv"):
            path.write_text(path.read_text().replace(str(self.folder), str(folder)))
        for path in [folder / "course" / ".git" / "config"]:
            path.write_text(path.read_text().replace(str(self.folder), str(folder)))
        return World(folder)

    def autograder(self, *words: str, fault: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command in the course; what is to have a fault, or to list its places, starts on its own for it."""
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")
        }
        environment |= {
            "TMPDIR": str(self.temporary),
            VARIABLE: fault,
            "AUTOGRADER_CAMPAIGN": str(self.folder),
        }
        is_warm = not fault and meeting.VARIABLE in os.environ
        command = warm_autograder.command() if is_warm else [sys.executable, "-m", "autograder"]
        return subprocess.run(
            [*command, *words],
            cwd=self.small.root, env=environment, capture_output=True, text=True, check=False, timeout=500,
            preexec_fn=_hear_interrupts,
        )  # fmt: skip

    def memory(self) -> dict[str, Any]:
        """Everything that must be the same however one got there, without moments and names drawn by lot."""
        classroom = Classroom.open(self.small.config)
        entries: Counter[str] = Counter()
        for path in sorted(classroom.course.ledger.glob("*.jsonl")):
            entries.update(
                f"{path.stem}: {_timeless(line)}" for line in path.read_bytes().splitlines()
            )
        standings = {
            student: {
                name: (entry.points, entry.parts[0].state.value) for name, entry in mine.items()
            }
            for student, mine in classroom.standings().items()
        }
        database = database_file(classroom.course)
        site = classroom.course.site
        return {
            "ledger": entries,
            "standings": standings,
            "gradebook": read_scores(database) if database and database.exists() else {},
            "pages": len(list((site / "p").glob("*.html"))),
            "outputs": sorted(
                path.name for path in classroom.course.outputs.rglob("*") if path.is_file()
            ),
            "public": _tree(self.folder / "public.git", "master"),
            "state": sorted(set(_tree(self.folder / "instructors.git", "state")) - {"keys.json"}),
            "wrong": [
                trouble.line
                for trouble in verify_course(classroom, now=_now()).troubles
                if trouble.serious
            ],
        }

    def left_behind(self) -> list[str]:
        """What no finished run leaves: temporary files, locks, processes."""
        found = [str(path) for path in self.temporary.iterdir()]
        for path in self.folder.rglob("*"):
            if path.name.endswith("autograder.lock"):
                continue  # the kernel holds these locks, not the file; it always stays
            if path.name.endswith((".lock", ".tmp", ".new", ".old")) or path.name.startswith(
                "tmp_"
            ):
                found.append(str(path))
        return found + self.processes()

    def processes(self) -> list[str]:
        """Processes of commands that were run here."""
        found = []
        for process in psutil.process_iter(["pid", "cmdline"]):
            try:
                if process.environ().get("AUTOGRADER_CAMPAIGN") == str(self.folder):
                    found.append(
                        f"process {process.info['pid']}: {' '.join(process.info['cmdline'] or ())[:80]}"
                    )
            except psutil.Error:
                continue
        return found


@dataclass(frozen=True)
class Case:
    """A fault at a place of a command: the how manyth time it is reached."""

    command: str
    fault: str
    place: str
    number: int

    @property
    def variable(self) -> str:
        return f"{self.fault} at {self.place}, {self.number}"

    def __str__(self) -> str:
        return f"{self.command}: {self.variable}"


@dataclass
class Campaign:
    """Worlds made ready for each command, and what undisturbed runs give."""

    folder: Path
    prepared: dict[str, World] = field(default_factory=dict)
    wanted: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)

    def prepare(self, command: str) -> None:
        """Make the world a command begins with, run it once undisturbed, and note which places it reaches."""
        words, before = COMMANDS[command]
        name = command.replace(" ", "-")
        world = World.make(self.folder / f"{name}-ready")
        for step in before:
            _must_end_well(world.autograder(*step))
        calm = world.copy(self.folder / f"{name}-calm")
        listing = self.folder / f"{name}-places.txt"
        _must_end_well(calm.autograder(*words, fault=f"list to {listing}"))
        self.prepared[command], self.wanted[command] = world, calm.memory()
        self.places[command] = listing.read_text().splitlines()
        assert self.wanted[command]["wrong"] == []
        assert calm.left_behind() == []

    def cases(self, command: str, faults: Sequence[str] = FAULTS) -> Iterator[Case]:
        """Every named place, the first and the last time it is reached, with every fault that can happen there."""
        known = set(self.places.get("collect", ())) if command == "run" else set()
        for place, times in Counter(self.places[command]).items():
            if place in known and "git" in place:
                continue  # of the same code in `collect_pushes`
            for number in sorted({1, times}):
                for fault in faults:
                    if fault != "full" or _writes(place):
                        yield Case(command, fault, place, number)

    def cases_in_turn(self, command: str) -> Iterator[Case]:
        """Every named place the first time it is reached, with one fault after the other."""
        chosen: dict[str, Case] = {}
        turn = 0
        for case in self.cases(command):
            possible = [each for each in FAULTS if each != "full" or _writes(case.place)]
            if (
                case.number == 1
                and case.place not in chosen
                and case.fault == possible[turn % len(possible)]
            ):
                chosen[case.place] = case
                turn += 1
        yield from chosen.values()

    def failures(self, case: Case) -> list[str]:
        """Let the fault happen, run the command again, and say what is not as after an undisturbed run."""
        words, _ = COMMANDS[case.command]
        folder = Path(tempfile.mkdtemp(prefix="case-", dir=self.folder))
        try:
            world = self.prepared[case.command].copy(folder / "world")
            hurt = world.autograder(*words, fault=case.variable)
            found = []
            if hurt.returncode == 0 and case.fault != "full":
                found.append("the fault did not happen")
            if case.fault in {"interrupt", "full"} and "Traceback" in hurt.stderr:
                found.append(f"a traceback: {hurt.stderr[-700:]}")
            if case.fault == "full" and hurt.returncode == 0:
                found.append("a full disk went unnoticed")
            for _ in range(40):  # what dies with its parent does so a moment later
                if not world.processes():
                    break
                time.sleep(0.25)
            found += [f"after the fault: {line}" for line in world.processes()]
            again = world.autograder(*words)
            if again.returncode != 0:
                found.append(f"the next run ends with {again.returncode}: {again.stderr[-700:]}")
            return [*found, *self._differences(case, world)]
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _differences(self, case: Case, world: World) -> Iterator[str] | list[str]:
        wanted, got = self.wanted[case.command], world.memory()
        found = [f"left behind: {line}" for line in world.left_behind()]
        lost = wanted["ledger"] - got["ledger"]
        more = got["ledger"] - wanted["ledger"]
        found += [f"lost: {line[:200]}" for line in lost] + [
            f"doubled or new: {line[:200]}" for line in more
        ]
        # What a notebook gave, and had no room, is made again only where a person waits for it.
        optional = {"outputs"} if case.fault == "full" else set()
        for name in wanted.keys() - {"ledger"} - optional:
            if wanted[name] != got[name]:
                found.append(f"{name}: {got[name]!r} instead of {wanted[name]!r}")
        return found


def _hear_interrupts() -> None:
    """Undo what a shell does to its background jobs: they, and all that they start, are deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _timeless(line: bytes) -> str:
    entry = json.loads(line)
    for name in ("time", "sum"):
        entry.pop(name, None)
    entry.get("report", {}).pop("seconds", None)
    return json.dumps(entry, sort_keys=True)


def _tree(repository: Path, branch: str) -> list[str]:
    command = ["git", f"--git-dir={repository}", "ls-tree", "-r", "--name-only", branch]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split()


def _writes(place: str) -> bool:
    """Whether a place is one at which a full disk would be noticed by this program itself."""
    return place.endswith(("written beside its place", "before a line", "line written"))


def _must_end_well(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, f"{done.args}: {done.stdout[-500:]} {done.stderr[-2000:]}"


def _now() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=1)


def main(names: Sequence[str]) -> int:
    """Run the whole campaign and print its figures."""
    started, failed, counted = resource.getrusage(resource.RUSAGE_CHILDREN), 0, Counter[str]()
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        campaign = Campaign(Path(folder))
        once = "--once" in names
        for command in [name for name in names if name != "--once"] or COMMANDS:
            campaign.prepare(command)
            places = set(campaign.places[command])
            print(f"{command}: {len(places)} places", flush=True)
            for case in campaign.cases_in_turn(command) if once else campaign.cases(command):
                failures = campaign.failures(case)
                counted[command] += 1
                print(
                    f"  {'not as undisturbed' if failures else 'as undisturbed'}: {case}",
                    flush=True,
                )
                failed += bool(failures)
                for line in failures:
                    print(f"  {case}: {line}", flush=True)
            print(f"{command}: {counted[command]} faults tried", flush=True)
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = spent.ru_utime + spent.ru_stime - started.ru_utime - started.ru_stime
    print(
        f"campaign: {counted.total()} faults, {failed} after which something was not as undisturbed; {seconds:.0f} s"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
