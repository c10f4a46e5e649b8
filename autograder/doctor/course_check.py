"""Is a course set up? Each finding says what is there, or what is wrong and what to do about it.

Nothing is changed by looking, and nothing is asked of other machines unless that is wanted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from autograder.course.configuration import Course
from autograder.course.configuration_file import load_course
from autograder.course.database_addresses import find_database_file
from autograder.course.errors import (
    AutograderError,
    ConfigError,
    DiskFailed,
    ReleaseError,
    describe_error,
)
from autograder.course.exam import Exam
from autograder.course.names import quote_name
from autograder.course.remotes import git_address, repository_name
from autograder.course.roster import list_ids, read_extensions, read_roster, shared_remotes
from autograder.course.submissions import Clock, Student
from autograder.doctor.machine_check import Finding
from autograder.forge.forge_protocol import open_forge
from autograder.git.repository import GitRepository, remove_passwords
from autograder.gradebook.exam_entries import knows_exam
from autograder.publishing.release import is_release_current
from autograder.record.ledger import Ledger
from autograder.record.page_keys import PageKeys
from autograder.record.standings import is_over

MEGABYTE = 1 << 20
GUIDE = "see docs/instructors.md"
# Git's short form of ssh://
OVER_SSH = re.compile(r"[^/@:\s]+@[^/:\s]+:.+")


def examine_course(config: Path, *, network: bool = False) -> list[Finding]:
    """Look at everything a course needs, from its configuration to its gradebook.

    Parameters
    ----------
    network : bool
        Whether to ask a public repository that is not on this machine, too.
    """
    try:
        course = load_course(config)
    except ConfigError as error:
        return [Finding("configuration", False, str(error), step=f"correct {config.name}")]
    exams: dict[str, Exam] = {}
    checks: dict[str, Callable[[], Iterable[Finding]]] = {
        "times": lambda: _check_times(course),
        "sources": lambda: _check_sources(course, exams),
        "releases": lambda: _check_releases(course, exams),
        "public repository": lambda: [_check_upstream(course, network=network)],
        "people": lambda: _check_people(course),
        "page keys": lambda: [_check_keys(course)],
        "site": lambda: _check_site(course),
        "gradebook": lambda: [_check_gradebook(course, exams)],
        "workers": lambda: [_check_workers(course)],
    }
    found = [Finding("configuration", True, f"{config}: {len(course.assignments)} assignments")]
    for what, check in checks.items():
        # What one of them cannot look at keeps nobody from what the others say
        try:
            found += check()
        except (AutograderError, OSError) as error:
            found.append(
                Finding(what, False, describe_error(error), step="correct that, and look again")
            )
    return found


def _check_times(course: Course) -> Iterator[Finding]:
    now = f"{course.timezone.key}, where it is {course.to_local_time(datetime.now(UTC)):%Y-%m-%d %H:%M}"
    step = 'set c.Course.timezone, for example "Europe/Budapest", unless your deadlines are meant in UTC'
    yield Finding("time zone", course.timezone.key != "UTC", now, needed=False, step=step)
    to_come = 0
    number = 0
    for entry in course.assignments.values():
        number += len(entry.parts)
        for part in entry.parts:
            to_come += not is_over(part.deadline, datetime.now(UTC))
    said = f"{to_come} of {number} to come"
    step = (
        f"if the term is not over, give the assignments new deadlines in grading_config.py; {GUIDE}"
    )
    yield Finding("deadlines", to_come > 0, said, needed=False, step=step)
    if course.clock is Clock.SERVER:
        there = bool(os.environ.get(course.forge.token))
        found = "set" if there else "not set: 60 requests an hour are allowed, with one 5,000"
        said = f"{course.forge.token} is {found}"
        yield Finding(
            "token of the forge", there, said, needed=False, step=f"export {course.forge.token}=…"
        )


def _check_sources(course: Course, exams: dict[str, Exam]) -> Iterator[Finding]:
    for name in course.assignments:
        try:
            exam = exams[name] = course.read_exam(name)
        except AutograderError as error:
            yield Finding(
                f"source of {name}", False, str(error), step="correct the source notebook"
            )
            continue
        manual = len(exam.marked_by_hand)
        by_hand = f", {manual} marked by a person" if manual else ""
        yield Finding(
            f"source of {name}",
            True,
            f"{len(exam.exercises)} exercises, {exam.points:g} points{by_hand}",
        )


def _check_releases(course: Course, exams: Iterable[str]) -> Iterator[Finding]:
    for name in exams:
        what = f"release of {name}"
        step = f"autograder release {quote_name(name)}"
        if not course.release_path(name).exists():
            yield Finding(
                what,
                False,
                "not released yet",
                needed=False,
                step=f"when its time has come: {step}",
            )
            continue
        try:
            current = is_release_current(course, name)
            said = (
                "is what its source gives" if current else "differs from what its source gives now"
            )
            yield Finding(what, current, said, needed=False, step=step)
        except ReleaseError as error:
            yield Finding(what, False, str(error), step="correct the source notebook")


def _check_upstream(course: Course, *, network: bool) -> Finding:
    what = "public repository"
    url = git_address(course.upstream, course.forge)
    name = remove_passwords(url)
    if not url:
        return Finding(
            what, False, "not named", needed=False, step="set c.Course.upstream to its address"
        )
    wrong = _say_wrong_form(course, course.upstream)
    if wrong:
        return Finding(what, False, f"{name} {wrong}", step="correct c.Course.upstream")
    if not (network or _is_on_this_machine(url)):
        return Finding(what, True, f"{name}; whether it answers: autograder doctor --network")
    # As the collector asks: a private repository answers nobody without credentials
    variables = open_forge(course.forge).make_credentials()
    git = GitRepository(course.root, extra=variables)
    heads = git.says("ls-remote", "--heads", "--", url)
    if heads is None:
        return Finding(
            what, False, f"{name} does not answer", step="create it, or correct c.Course.upstream"
        )
    there = f"refs/heads/{course.branch}" in heads.split()
    said = f"{name} answers, branch {course.branch}{'' if there else ' is not there yet'}"
    return Finding(what, there, said, needed=False, step="autograder publish")


def _check_people(course: Course) -> Iterator[Finding]:
    if not course.roster.exists():
        said = f"no {course.roster} yet"
        yield Finding(
            "roster",
            False,
            said,
            needed=False,
            step=f"write one, or autograder state pull; {GUIDE}",
        )
        return
    try:
        students = read_roster(course.roster, course)
    except ConfigError as error:
        yield Finding("roster", False, str(error), step=f"correct {course.roster.name}; {GUIDE}")
        return
    some = f"{len(students)} students in {course.roster.name}"
    yield Finding("roster", bool(students), some, needed=False, step="add a line for each student")
    wrong = list(_find_wrong_remotes(course, students))
    step = "write owner/repository, an https:// or ssh:// address, or a path that exists"
    yield Finding(
        "students' remotes", not wrong, "; ".join(wrong) or "each has one of its own", step=step
    )
    try:
        extensions = read_extensions(course.extensions, course, set(list_ids(students)))
        yield Finding("extensions", True, f"{len({key[:2] for key in extensions})} given")
    except ConfigError as error:
        yield Finding("extensions", False, str(error), step=f"correct {course.extensions.name}")
    yield _check_ledger(course, students)


def _check_ledger(course: Course, students: Iterable[Student]) -> Finding:
    number = 0
    wrong = []
    for student in students:
        try:
            record = Ledger.of(course).read(student.id)
        except DiskFailed as error:
            wrong.append(str(error))
            continue
        number += bool(record.pushes)
        wrong += record.damaged
    said = "; ".join(wrong) or f"{number} students have pushed"
    return Finding(
        "ledger", not wrong, said, step="autograder verify, then autograder verify --repair"
    )


def _find_wrong_remotes(course: Course, students: Iterable[Student]) -> Iterator[str]:
    """Say whose remote is wrong, without any password in it."""
    students = list(students)
    shared = shared_remotes(students, course.forge)
    for student in students:
        # Work of whom nothing is pushed comes by `autograder import`.
        if not student.remote:
            continue
        wrong = _say_wrong_form(course, student.remote)
        if student.id in shared:
            wrong = wrong or "is another student's, too"
        if course.clock is Clock.SERVER and not repository_name(student.remote, course.forge):
            wrong = wrong or f"is not on {course.forge.web}, whose clock is to count"
        if wrong:
            yield f"{student.id}: {remove_passwords(student.remote)} {wrong}"


def _say_wrong_form(course: Course, remote: str) -> str:
    """Say what is wrong with a remote by its checks, empty if nothing is."""
    address = git_address(remote, course.forge)
    # A name alone is kept in an address, as in git@github.com; only a password is a secret
    if remove_passwords(address) != address and urlsplit(address).password:
        return "holds a password, which would stand in logs"
    if _is_on_this_machine(address):
        path = Path(address.removeprefix("file://"))
        return "" if path.exists() else "does not exist on this machine"
    if address.startswith(f"{course.forge.web}/") and not repository_name(remote, course.forge):
        return "is not the address of a repository"
    known = urlsplit(address).scheme in {"https", "http", "ssh", "git"} or OVER_SSH.fullmatch(
        address
    )
    return "" if known else "is neither an address nor a path"


def _is_on_this_machine(address: str) -> bool:
    return address.startswith(("/", "./", "../", "file://"))


def _check_keys(course: Course) -> Finding:
    what = "page keys"
    path = course.keys
    if not path.exists():
        return Finding(what, True, f"{path.name} will be made with the first pages")
    mode = path.stat().st_mode & 0o777
    said = f"{path.name} has mode {mode:o}"
    # By the keys every student's page can be opened; nobody but their owner may read them
    if mode & 0o077:
        return Finding(
            what, False, f"{said}: others can read every student's page", step=f"chmod 600 {path}"
        )
    try:
        PageKeys(path)
    except ConfigError as error:
        return Finding(what, False, str(error), step="restore it from the state branch")
    return Finding(what, True, said)


def _check_site(course: Course) -> Iterator[Finding]:
    step = "set c.Course.site_url, so that links are whole and students find the page"
    yield Finding(
        "address of the pages",
        bool(course.site_url),
        course.site_url or "not set",
        needed=False,
        step=step,
    )
    step = "set c.Course.contact, an address like mailto:…, to which students may write"
    yield Finding(
        "contact", bool(course.contact), course.contact or "not set", needed=False, step=step
    )


def _check_gradebook(course: Course, exams: dict[str, Exam]) -> Finding:
    what = "gradebook"
    step = "autograder gradebook makes it, or brings it up to date"
    path = find_database_file(course.database)
    if path is not None and not path.exists():
        return Finding(what, True, f"{path.name} will be made by autograder gradebook")
    unknown = []
    # A file that is no database, a server that does not answer: every driver raises errors of its own
    try:
        for name, exam in exams.items():
            if course.release_path(name).exists() and not knows_exam(course, exam):
                unknown.append(name)
    except Exception as error:
        return Finding(
            what,
            False,
            f"{course.database}: {str(error).splitlines()[0]}",
            step=f"move it away; {step}",
        )
    said = (
        f"does not know {', '.join(unknown)} as it is now"
        if unknown
        else "knows every released assignment"
    )
    return Finding(what, not unknown, said, needed=False, step=step)


def _check_workers(course: Course) -> Finding:
    cores = os.cpu_count() or 1
    workers = course.workers or cores
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE
    need = int(workers * course.limits.memory_mb)
    said = f"{workers} at once on {cores} cores; submissions may take {need} of {memory} MB"
    step = f"set c.Course.workers to at most {min(cores, max(1, int(memory // course.limits.memory_mb)))}"
    return Finding("workers", workers <= cores and need <= memory, said, needed=False, step=step)
