"""Similar work written as a page: both sides beside each other, what they share marked, and what it
does not mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from markupsafe import Markup, escape

from autograder.course.configuration import Course
from autograder.course.errors import UsageError
from autograder.course.exam import Exam
from autograder.course.notebook_files import Unreadable, read_notebook
from autograder.overview.overview_site import OWNER_ONLY, write_private_files
from autograder.overview.similar_work import Places, SimilarWork
from autograder.pages.exercise_titles import find_exercise_titles
from autograder.pages.template_environment import make_environment


def read_answers(content: bytes, exam: Exam) -> dict[str, str]:
    """Return the answers of a student's notebook: of the solution cells of code those that were
    changed.
    """
    try:
        notebook = read_notebook(content)
    except Unreadable:
        return {}
    wanted, _ = list_known_answers(exam)
    answers = {}
    for cell in notebook.cells:
        # What nobody touched is alike in the whole class and says nothing of two of them.
        if cell.grade_id in wanted and not exam.handout.is_unchanged(cell.grade_id, cell.source):
            answers[cell.grade_id] = cell.source
    return answers


def list_known_answers(exam: Exam) -> tuple[dict[str, str], dict[str, str]]:
    """Return the solution cells as they were given out, and as the reference solves them."""
    task = {}
    reference = {}
    for cell in exam.cells:
        if cell.solution and cell.kind == "code":
            task[cell.grade_id] = exam.handout.text(cell.grade_id)
            reference[cell.grade_id] = cell.source
    return task, reference


def write_similar(
    course: Course, works: Mapping[str, tuple[Exam, SimilarWork]], folder: Path, now: datetime
) -> Path:
    """Write the page of similar work by assignment; return it.

    Raises
    ------
    UsageError
        If the folder is in the points site, which is published.
    """
    if folder.resolve().is_relative_to(course.site.resolve()):
        raise UsageError(
            f"{folder}: is in {course.site}, which everybody can read; name another folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(OWNER_ONLY)
    write_private_files(folder, {"similar.html": render_similar(course, works, now)})
    return folder / "similar.html"


def render_similar(
    course: Course, works: Mapping[str, tuple[Exam, SimilarWork]], now: datetime
) -> str:
    """Return the page of similar work."""
    templates = make_environment(course, "autograder.overview")
    templates.globals |= {"now": now}
    templates.filters["marked"] = mark_places
    titles = {}
    found = {}
    for name, (exam, work) in works.items():
        titles[name] = _title_cells(exam)
        found[name] = work
    return templates.get_template("similar.html").render(root="", works=found, titles=titles)


def mark_places(source: str, places: Places) -> Markup:
    """Return a source as HTML in which places are marked; overlapping ones are joined."""
    pieces = []
    position = 0
    for start, end in sorted(places):
        begin = max(start, position)
        # Stretches overlap by design: one that lies wholly in another was marked with it.
        if end <= begin:
            continue
        pieces.append(escape(source[position:begin]))
        # Markup.format escapes what is put in; the source is a student's.
        pieces.append(Markup("<mark>{}</mark>").format(source[begin:end]))
        position = end
    pieces.append(escape(source[position:]))
    return Markup("").join(pieces)


def _title_cells(exam: Exam) -> dict[str, str]:
    """Return what each solution cell is called: its exercise's title, or its own id."""
    titles = find_exercise_titles(exam)
    of_cell = {}
    for exercise in exam.exercises:
        for cell in exercise.solutions:
            of_cell[cell] = titles.get(exercise.id) or cell
    return of_cell
