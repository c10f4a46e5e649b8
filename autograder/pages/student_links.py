"""The list of links for the instructors' mail merge."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from autograder.course.submissions import Student

COLUMNS = ("student", "name", "email", "link")


def links_csv(students: Sequence[Student], links: Mapping[str, str], base_url: str) -> str:
    """Return the students' links as CSV, one line per student who has one.

    Parameters
    ----------
    students : sequence of Student
        The roster.
    links : mapping of str to str
        Student id → link relative to the site, as `build_site` returns it.
    base_url : str
        Where the site is published; empty leaves the links relative.
    """
    base = f"{base_url.rstrip('/')}/" if base_url else ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for student in students:
        if student.id in links:
            writer.writerow((student.id, student.name, student.email, base + links[student.id]))
    return text.getvalue()
