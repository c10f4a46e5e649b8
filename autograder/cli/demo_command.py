"""The practice class as a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from autograder.cli.application import ConfigOption, JsonOption, app, err, open_classroom, out
from autograder.cli.long_work import collect_all, grade_all, print_troubles
from autograder.course.configuration import CONFIG_FILE
from autograder.course.errors import AutograderError

if TYPE_CHECKING:
    from autograder.rehearsal.practice_class import PracticeClass

WHO = "known-mistake"  # a practice student whose points tell most


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--out", help="Where the practice class lives.")] = Path("demo"),
    students: Annotated[int, typer.Option("--students", min=1, max=5000, help="Beyond 18 the roles repeat.")] = 18,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Walk a practice class all the way from source notebooks to points pages.

    Example: autograder demo --students 200
    """
    from autograder.cli.result_text import print_standings, standings_json
    from autograder.rehearsal.practice_class import PracticeClass

    practice = PracticeClass(open_classroom(config).course, folder.resolve(), students)
    screen = err if as_json else out
    _walk(practice, screen)
    found = practice.classroom.standings()
    differences = practice.differences()
    if as_json:
        out.print_json(data={"standings": standings_json(found, practice.end), "differences": differences})
    else:
        print_standings(found, out, practice.end)
        out.print(f"points pages:   {practice.classroom.course.site / 'index.html'}", markup=False)
        out.print(f"students' own:  the links in {practice.out / 'links.csv'}", markup=False)
        out.print(f"why so many:    autograder show {WHO} --config {practice.out / CONFIG_FILE}", markup=False)
    for sentence in differences:
        err.print(f"not as it must be: {sentence}", style="red", markup=False)
    screen.print("every role got what it must" if not differences else f"{len(differences)} differences")
    raise typer.Exit(1 if differences else 0)


def _walk(practice: PracticeClass, screen: Console) -> None:
    """Let a practice class happen: release, then each wave of pushes collected and graded."""
    from autograder.cli.progress_bar import track_progress
    from autograder.pages import links_csv

    practice.prepare()
    if practice.is_released:
        screen.print(f"going on with the class in {practice.out}; delete that folder to see everything happen again")
    else:
        screen.print("releasing: each notebook is made, searched for leaks and graded, solved and unsolved")
        practice.release()
    classroom = practice.classroom
    for wave, time in practice.waves():
        title = f"{time:%d %b}: students push"
        for _ in track_progress(practice.push(wave, time), practice.size, title, screen):
            pass
        if not collect_all(classroom, screen, now=time):
            raise AutograderError("a repository of the practice class could not be fetched")
        practice.collected(wave)
        grade_all(classroom, screen=screen)
    if classroom.open_tasks() and not grade_all(classroom, screen=screen):
        raise AutograderError("a submission of the practice class could not be graded")
    classroom.update_gradebook()
    links = classroom.build_pages(practice.end)
    print_troubles(classroom)
    text = links_csv(classroom.students, links, classroom.course.site.as_uri())
    (practice.out / "links.csv").write_text(text, encoding="utf-8")
