"""The practice class as a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.cli.chosen_course import open_classroom
from autograder.cli.command_options import ConfigOption, JsonOption
from autograder.cli.long_work import collect_all, grade_all, print_troubles
from autograder.cli.progress_bar import track_progress
from autograder.cli.result_text import print_standings, standings_json
from autograder.cli.screens import err, out, print_error, print_line
from autograder.course.configuration import CONFIG_FILE
from autograder.course.errors import AutograderError
from autograder.pages import links_csv
from autograder.rehearsal.practice_class import PracticeClass

# The practice student whose points tell most
TELLING_STUDENT = "known-mistake"


def walk_practice_class(
    folder: Annotated[Path, typer.Option("--out", help="Where the practice class lives.")] = Path(
        "demo"
    ),
    students: Annotated[
        int, typer.Option("--students", min=1, max=5000, help="Beyond 18 the roles repeat.")
    ] = 18,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Walk a practice class all the way from source notebooks to points pages.

    Example: autograder demo --students 200
    """
    practice = PracticeClass(open_classroom(config).course, folder.resolve(), students)
    screen = err if as_json else out
    _let_class_happen(practice, screen)
    standings = practice.classroom.assignment_standings(practice.classroom.standings())
    differences = practice.differences()
    if as_json:
        data = standings_json(standings, practice.end)
        out.print_json(data={"standings": data, "differences": differences})
    else:
        print_standings(standings, out, practice.end)
        print_line(f"points pages:   {practice.classroom.course.site / 'index.html'}")
        print_line(f"students' own:  the links in {practice.out / 'links.csv'}")
        configuration = practice.out / CONFIG_FILE
        print_line(f"why so many:    autograder show {TELLING_STUDENT} --config {configuration}")
    for sentence in differences:
        print_error(f"not as it must be: {sentence}")
    verdict = f"{len(differences)} differences" if differences else "every role got what it must"
    screen.print(verdict)
    raise typer.Exit(1 if differences else 0)


def _let_class_happen(practice: PracticeClass, screen: Console) -> None:
    """Release, then collect and grade each wave of pushes."""
    practice.prepare()
    if practice.is_released:
        screen.print(
            f"going on with the class in {practice.out}; delete that folder to see everything happen again"
        )
    else:
        screen.print(
            "releasing: each notebook is made, searched for leaks and graded, solved and unsolved"
        )
        practice.release()
    classroom = practice.classroom
    for wave, time in practice.waves():
        title = f"{time:%d %b}: students push"
        # Each step of it is a push that was made
        for _ in track_progress(practice.push(wave, time), practice.size, title, screen):
            pass
        if not collect_all(classroom, screen, now=time):
            raise AutograderError("a repository of the practice class could not be fetched")
        # Written down before the grading: a run that is killed in it finds those tasks open
        practice.collected(wave)
        grade_all(classroom, screen=screen)
    # What a killed run left, or its last wave could not do
    if classroom.open_tasks() and not grade_all(classroom, screen=screen):
        raise AutograderError("a submission of the practice class could not be graded")
    classroom.update_gradebook()
    links = classroom.build_pages(practice.end)
    print_troubles(classroom)
    text = links_csv(classroom.students, links, classroom.course.site.as_uri())
    (practice.out / "links.csv").write_text(text, encoding="utf-8")
