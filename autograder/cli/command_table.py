"""Every command: its name, whom it is for, and where its code is, which is loaded when the command
is called.

A new command is an entry here and a function in a module of this folder, whose docstring is its `--help` and ends
with an example.
"""

from __future__ import annotations

from dataclasses import dataclass

STUDENTS = "Students"
EVERY_DAY = "Every day"
SETTING_UP = "Setting up"
MACHINERY = "Machinery"


@dataclass(frozen=True)
class CommandEntry:
    """One command.

    Attributes
    ----------
    name : str
        What one types.
    group : str
        Under which heading `autograder --help` shows it.
    module, function : str
        A module of `autograder.cli`, and what in it is called: a function, or a `typer.Typer` of
        further commands.
    summary : str
        What it does, short enough for one line of a terminal.
    """

    name: str
    group: str
    module: str
    function: str
    summary: str


COMMANDS = (
    CommandEntry("start", STUDENTS, "start_command", "start_homework",
                 "Make your copy of a homework to work in."),
    CommandEntry("check", STUDENTS, "check_command", "check_homework",
                 "Run your notebooks here, and show what the visible checks say."),
    CommandEntry("submit", STUDENTS, "submit_command", "submit_homework",
                 "Show what would be sent, then commit and push it."),
    CommandEntry("update", STUDENTS, "update_command", "update_clone",
                 "Get what is new in the course; your work is never lost."),
    CommandEntry("run", EVERY_DAY, "class_commands", "run_everything",
                 "Collect, grade, gradebook and pages: all that a poll does."),
    CommandEntry("collect", EVERY_DAY, "class_commands", "collect_pushes",
                 "Ask every student's repository what was pushed."),
    CommandEntry("grade", EVERY_DAY, "class_commands", "grade_pushes",
                 "Grade what was collected and has no points yet."),
    CommandEntry("gradebook", EVERY_DAY, "class_commands", "refresh_gradebook",
                 "Read marks given by hand, bring gradebook.db up to date."),
    CommandEntry("pages", EVERY_DAY, "class_commands", "build_pages",
                 "Build the points pages."),
    CommandEntry("standings", EVERY_DAY, "result_commands", "show_standings",
                 "Print who has how many points, and why."),
    CommandEntry("show", EVERY_DAY, "result_commands", "show_student",
                 "Show everything about one student."),
    CommandEntry("overview", EVERY_DAY, "overview_command", "show_overview",
                 "Show how the class does: mistakes made, who is stuck."),
    CommandEntry("similar", EVERY_DAY, "similar_command", "show_similar_work",
                 "Show pairs of answers that are unusually alike."),
    CommandEntry("notices", EVERY_DAY, "notices_command", "print_notices",
                 "Print what may be mailed to students; nothing is sent."),
    CommandEntry("links", EVERY_DAY, "result_commands", "print_links",
                 "Print each student's own link, for a mail merge."),
    CommandEntry("export", EVERY_DAY, "export_command", "write_points_for_others",
                 "Write the points for a spreadsheet, Moodle or Canvas."),
    CommandEntry("import", EVERY_DAY, "import_command", "import_folder",
                 "Record work handed in on Moodle, Canvas or by nbgrader."),
    CommandEntry("examine", EVERY_DAY, "examine_command", "examine_notebook",
                 "Grade one notebook file here and now; record nothing."),
    CommandEntry("adopt", SETTING_UP, "adopt_command", "adopt_course",
                 "Take a course made for nbgrader as it is."),
    CommandEntry("doctor", SETTING_UP, "doctor_command", "examine_setup",
                 "Say whether this machine can grade and the course is set up."),
    CommandEntry("new", SETTING_UP, "new_command", "lay_out_new",
                 "Lay out a new assignment with its first exercise."),
    CommandEntry("release", SETTING_UP, "release_command", "release_assignments",
                 "Make the students' notebooks, proved to give nothing away."),
    CommandEntry("audit", SETTING_UP, "audit_command", "audit_assignments",
                 "Test the tests: known mistakes, right answers, mutants."),
    CommandEntry("publish", SETTING_UP, "publish_command", "publish_released",
                 "Put what is released on the public course repository."),
    CommandEntry("readings", SETTING_UP, "readings_command", "make_readings",
                 "Make the demo notebooks readable beside the points."),
    CommandEntry("demo", SETTING_UP, "demo_command", "walk_practice_class",
                 "Walk a practice class all the way to points pages."),
    CommandEntry("verify", MACHINERY, "verify_command", "verify_record",
                 "Prove that nothing in the record was lost; repair it."),
    CommandEntry("tidy", MACHINERY, "tidy_command", "tidy_course",
                 "Say what the disk holds; free what can be made again."),
    CommandEntry("bundle", MACHINERY, "bundle_commands", "write_work_bundle",
                 "Put what has to be graded into a folder, for other machines."),
    CommandEntry("grade-bundle", MACHINERY, "bundle_commands", "grade_work_bundle",
                 "Grade such a folder on a machine that knows nobody."),
    CommandEntry("record", MACHINERY, "bundle_commands", "record_reports",
                 "Check reports that came back, and record them."),
    CommandEntry("state", MACHINERY, "state_commands", "state",
                 "Bring the course's memory to and from its branch."),
    CommandEntry("commit", MACHINERY, "state_commands", "commit_results",
                 "Commit a part of this repository and push it."),
)  # fmt: skip
