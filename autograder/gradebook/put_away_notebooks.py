"""Notebooks that the formgrader shows no more: two weeks after the deadline, with nothing left to mark, a sentence
stands in their place.

They are most of what a term takes of the disk, and are made again from what was pushed. The sentence is a notebook
itself, which says of which state of the student's file it is: so the gradebook, which is brought up to date by that,
does not make them again by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from autograder.course.configuration import Course
from autograder.course.reports import Status
from autograder.course.whole_files import write_whole
from autograder.gradebook.autograded_notebooks import (
    BLOB,
    autograded_path,
    shown_file,
    shows_blob,
)
from autograder.record.standings import PartState, Standing, is_over

# After the last day on which points can come: long enough for a complaint about a mark.
SETTLED = timedelta(days=14)
SENTENCE = """\
**Put away by `autograder tidy`**: the deadline is over for two weeks, and nothing waits for a mark.
To see the notebook here again, delete the file in which this stands,

    {path}

and run `autograder gradebook`; it comes without what its cells gave. Points and marks are all there."""
LEAST = 8192  # bytes of a notebook; a smaller one takes hardly more of the disk than the sentence


@dataclass(frozen=True)
class SettledNotebook:
    """A notebook of the formgrader that nobody has to look at any more, and whose blob it shows."""

    path: Path
    blob: str


def find_settled(
    course: Course, standings: Mapping[str, Mapping[str, Standing]], now: datetime
) -> Iterator[SettledNotebook]:
    """Yield what the formgrader shows of homework that is over, marked, and graded as it will stay."""
    for student, own in standings.items():
        for name, standing in own.items():
            file = shown_file(standing)
            if file is None or not _is_settled(course, standing, now):
                continue
            path = autograded_path(course, student, name)
            is_large = path.is_file() and path.stat().st_size >= LEAST
            # Of another blob: the gradebook is about to replace it.
            if is_large and shows_blob(course, student, name, file.blob):
                yield SettledNotebook(path, file.blob)


def _is_settled(course: Course, standing: Standing, now: datetime) -> bool:
    rule = course.assignments[standing.assignment].late
    waiting = SETTLED + timedelta(days=rule.days if rule is not None else 0)
    for part in standing.parts:
        is_open = not is_over(part.deadline, now - waiting)  # also where there is no deadline
        if is_open or part.outdated or part.state is PartState.WAITING:
            return False
        if any(exercise.status is Status.TO_BE_MARKED for exercise in part.exercises):
            return False
    return True


def put_away(notebook: SettledNotebook) -> None:
    """Replace a notebook by the sentence that says how to get it back.

    Raises
    ------
    DiskFailed
        If it cannot be written; then the notebook is still there.
    """
    cell = {
        "cell_type": "markdown",
        "id": "put-away",
        "metadata": {},
        "source": SENTENCE.format(path=notebook.path),
    }
    said = {
        "cells": [cell],
        # Not said to have run: where it is to be marked after all, it is run and shown again.
        "metadata": {BLOB: notebook.blob},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    text = json.dumps(said, indent=1, ensure_ascii=False) + "\n"
    write_whole(notebook.path, text.encode("utf-8", "replace"), "autograded notebook")
