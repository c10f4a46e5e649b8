"""What a student's own page tells: the assignments, and what of them matters now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from autograder.course.configuration import Course
from autograder.course.exam import Exam
from autograder.course.reports import round_points
from autograder.course.submissions import Student
from autograder.pages import page_highlights as highlights
from autograder.pages.assignment_view import (
    AssignmentView,
    PartView,
    join_views,
    make_assignment_view,
)
from autograder.pages.leaderboards import BoardPlace
from autograder.record.assignment_standings import join_notebooks
from autograder.record.ledger import StudentRecord
from autograder.record.standings import Standing


@dataclass(frozen=True)
class StudentPage:
    """A student's own page; `assignments` are those that are released, `coming` the others."""

    student: Student
    code: str
    assignments: tuple[AssignmentView, ...]
    coming: tuple[AssignmentView, ...] = ()
    boards: tuple[BoardPlace, ...] = ()

    @property
    def points(self) -> float:
        """Points so far."""
        return round_points(sum(view.points or 0.0 for view in self.assignments))

    @property
    def decided(self) -> float:
        """Points there were to be had in the parts that have points."""
        decided = 0.0
        for _, part in highlights.list_parts(self.assignments):
            if part.points is not None:
                decided += part.standing.max_points
        return round_points(decided)

    @property
    def news(self) -> highlights.News | None:
        """The newest grading."""
        return highlights.find_news(self.assignments)

    @property
    def next(self) -> tuple[AssignmentView, PartView] | None:
        """The part that falls due next, by the student's own deadlines."""
        return highlights.find_next(self.assignments)

    @property
    def first_look(self) -> highlights.FirstLook | None:
        """The exercise to look at first."""
        return highlights.find_first_look(self.assignments)

    @property
    def outlook(self) -> highlights.Outlook | None:
        """What can still come."""
        return highlights.make_outlook((*self.assignments, *self.coming))

    @property
    def current(self) -> AssignmentView | None:
        """The assignment that is shown unfolded."""
        return highlights.find_current(self.assignments)

    @property
    def unfolded_first(self) -> tuple[AssignmentView, ...]:
        """The assignments, the one that is shown unfolded before the others."""
        current = self.current
        if current is None:
            return self.assignments
        others = [view for view in self.assignments if view is not current]
        return (current, *others)

    @property
    def is_all_done(self) -> bool:
        """Whether everything that is released has all its points."""
        return bool(self.assignments) and all(view.is_full for view in self.assignments)


def make_student_page(
    course: Course,
    exams: Mapping[str, Exam],
    student: Student,
    code: str,
    standings: Mapping[str, Standing],
    record: StudentRecord,
    now: datetime,
    boards: tuple[BoardPlace, ...] = (),
) -> StudentPage:
    """Return a student's page as it is now."""
    released: list[AssignmentView] = []
    coming: list[AssignmentView] = []
    for name, notebooks in course.list_notebooks().items():
        views = []
        for entry in notebooks:
            # A damaged exam leaves its notebook out and the others in.
            if entry.name in standings and entry.name in exams:
                exam = exams[entry.name]
                standing = standings[entry.name]
                views.append(
                    make_assignment_view(entry.full_title, exam, standing, student, record, now)
                )
        if not views:
            continue
        view = views[0]
        if len(notebooks) > 1:
            joined = join_notebooks(name, [view.standing for view in views])
            view = join_views(notebooks[0].title, views, joined)
        group = released if view.is_released else coming
        group.append(view)
    return StudentPage(student, code, tuple(released), tuple(coming), boards)
