"""What an exercise is called: the heading of its task, as students read it in the notebook."""

from __future__ import annotations

import re

from autograder.course.exam import Exam

HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
KIND = re.compile(r"^(?:exercise|task|problem)\b[ \t\d.]*[:.–-]?[ \t]*", re.IGNORECASE)
POINTS = re.compile(r"[ \t]*\([^()]*\bpoints?\b[^()]*\)[ \t]*$", re.IGNORECASE)
# What follows is not given out, and is no heading either.
REGION = "### BEGIN "
MOST_LETTERS = 80


def find_exercise_titles(exam: Exam) -> dict[str, str]:
    """Return the titles of an assignment's exercises by their ids; empty where a task has no
    heading.

    A task stands above the cells that answer it. Only cells in which nobody answers are read.
    """
    titles: dict[str, str] = {}
    heading = ""
    is_used = False
    for cell in exam.cells:
        # The answer to another exercise, which came without a heading of its own: calling it by
        # the one before would name two exercises alike.
        if cell.solution and is_used:
            heading = ""
            is_used = False
        if cell.kind == "markdown" and not cell.solution and not cell.graded:
            found = HEADING.findall(cell.source.partition(REGION)[0])
            if found:
                # Of several the nearest: the ones above it are of the chapter.
                heading = found[-1]
                is_used = False
        if cell.graded:
            titles[cell.grade_id] = shorten_heading(heading)
            is_used = True
    return titles


def shorten_heading(heading: str) -> str:
    """Return a heading without what the page says anyway: that it is an exercise, and for how many
    points.
    """
    words = POINTS.sub("", heading).strip()
    # A heading that says nothing but "Exercise 3" keeps that.
    name = KIND.sub("", words) or words
    if len(name) > MOST_LETTERS:
        name = name[: MOST_LETTERS - 1] + "…"
    return name[:1].upper() + name[1:]
