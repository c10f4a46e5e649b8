from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import warm_autograder
import yaml
from public_course import ANSWER, Git
from small_course import (
    CONFIG,
    DOUBLE,
    REPOSITORY,
    TEST_DOUBLE,
    SmallCourse,
    code,
    dump,
    notebook,
    solution,
    test,
    text,
)

from autograder.cli.application import app
from autograder.course.configuration import Course
from autograder.course.configuration_file import load_course
from autograder.course.errors import ConfigError, GitFailed, PublishRefused, UsageError
from autograder.course.exam import read_exam
from autograder.publishing.leak_search import CourseSecrets, gather_secrets, is_common_python
from autograder.publishing.public_tree import ALLOWED, build_public_tree
from autograder.publishing.public_tree import build_solution_notebook as solution_notebook
from autograder.publishing.publish import describe_uncommitted, publish_course

pytestmark = pytest.mark.slow

PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(90))).decode()
ESSAY = {"grade_id": "why", "grade": True, "solution": True, "points": 4}
BEFORE, AFTER = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 5, 1, tzinfo=UTC)
RELEASED = [
    text("# Homework"),
    code("import math"),
    solution(
        DOUBLE.replace(
            "### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
            "raise NotImplementedError",
        )
    ),
    test('assert double(1) == 2, "twice one is two"'),
]
HW = "assignments/hw/hw.ipynb"
ROSTER = "student,remote,name,email\non-time,https://forge.example/on-time/course,,on-time@students.example\n"
README = "# {{name}}\n\n{{assignments}}\n\nFork {{upstream}}, clone {{fork}}, cd {{folder}}; points: {{page}}.\n"


@pytest.fixture(autouse=True)
def a_person(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git knows one instructor, and nothing of whoever runs the tests."""
    config = tmp_path_factory.mktemp("home") / "gitconfig"
    config.write_text(
        "[user]\nname = instructor\nemail = instructor@course.example\n[init]\ndefaultBranch = master\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def public(tmp_path: Path) -> Git:
    """The public repository, empty."""
    path = tmp_path / "forge" / "teachers" / "course.git"
    path.mkdir(parents=True)
    Git(path)("init", "--quiet", "--bare", "--initial-branch=master")
    return Git(path)


@pytest.fixture
def private(small_course: SmallCourse, public: Git) -> SmallCourse:
    """The instructors' folder, its one homework released, with much in it that must not be published."""
    files = {
        HW: dump(RELEASED),
        "assignments/hw/data.csv": b"1,2\n",
        "solutions/hw/data.csv": b"1,2\n",
        "assignments/hw/tools/shapes.py": b"SIDES = 4\n",
        "solutions/hw/tools/shapes.py": b"SIDES = 4\n",
        "docs/public-readme.md": README.encode(),
        "LICENSE": b"MIT\n",
        "autograder/checks.py": b"CHECK = 1\n",
        "autograder/pages/static/pages.css": b"p {}\n",
        "demonotebooks/demo.ipynb": dump([code("a = 1")]),
        ".github/workflows/check.yml": b"name: Check\n",
        # private from here
        ".github/workflows/grade.yml": b"name: Grade\n",
        "roster.csv": ROSTER.encode(),
        "extensions.csv": b"student,assignment,part,deadline\n",
        "keys.json": json.dumps({"secret": "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "students": {}}).encode(),
        "ledger/on-time.jsonl": b'{"entry":"push","commit":"0123"}\n',
        "gradebook.db": b"SQLite",
        ".env": b"TOKEN=1\n",
        "tests/test_hw.py": b"assert True\n",
        "notes.md": b"ask on-time\n",
        "demonotebooks/private.txt": b"x\n",
        "autograder/__pycache__/checks.py": b"compiled\n",
        "assignments/other/other.ipynb": dump(RELEASED),
        "docs/instructors.md": b"# For instructors\n",
    }
    for name, content in files.items():
        path = small_course.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    configure(
        small_course,
        f"c.Course.upstream = {public.path.as_uri()!r}",
        'c.Course.site_url = "https://points.example"',
    )
    return small_course


def configure(course: SmallCourse, *lines: str) -> None:
    course.config.write_text(CONFIG + "\n".join(lines) + "\n")


def course_of(private: SmallCourse) -> Course:
    return load_course(private.config)


def paths(public: Git, commit: str = "master") -> list[str]:
    return public("ls-tree", "-r", "--name-only", commit).splitlines()


@pytest.fixture
def elsewhere(public: Git, tmp_path: Path) -> Git:
    """A clone in which somebody else commits to the public repository; make it after the first publication."""
    Git(tmp_path)("clone", "--quiet", str(public.path), "elsewhere")
    return Git(tmp_path / "elsewhere")


@pytest.fixture
def published(private: SmallCourse) -> str:
    return publish_course(course_of(private)).commit


# --- what is published ---------------------------------------------------------------------------------------------


def test_only_what_is_allowed_is_published(private: SmallCourse, public: Git) -> None:
    done = publish_course(course_of(private))
    assert done.pushed
    assert paths(public) == list(done.files) == [
        ".github/workflows/check.yml",
        "LICENSE",
        "README.md",
        "assignments/hw/data.csv",
        HW,
        "assignments/hw/tools/shapes.py",
        "autograder/checks.py",
        "autograder/pages/static/pages.css",
        "course.toml",
        "demonotebooks/demo.ipynb",
    ]  # fmt: skip
    assert public("show", f"master:{HW}") == dump(RELEASED).decode()


def test_the_readme_and_the_card_are_filled(
    private: SmallCourse, public: Git, published: str
) -> None:
    readme = public("show", "master:README.md")
    where = public.path.as_uri()
    assert readme == (
        "# A small course\n\n| homework | about | due (Europe/Budapest) |\n|---|---|---|\n"
        "| `hw` | Homework | Sat 06 March 23:59 |\n\n"
        f"Fork {where}, clone {where.replace('teachers', 'YOUR-NAME')}, cd course; "
        "points: [the course's page](https://points.example)."
    )
    card = tomllib.loads(public("show", "master:course.toml"))
    assert (card["upstream"], card["branch"], card["points"]) == (
        where,
        "master",
        "https://points.example",
    )
    assert card["assignments"]["hw"]["deadlines"][""] == datetime(2027, 3, 6, 22, 59, tzinfo=UTC)


def test_a_readme_with_an_unknown_place_is_refused(private: SmallCourse) -> None:
    (private.root / "docs" / "public-readme.md").write_text("{{nam}}")
    with pytest.raises(ConfigError, match=r"nobody fills \{\{nam\}\}; there is name, upstream"):
        publish_course(course_of(private))
    (private.root / "docs" / "public-readme.md").unlink()
    with pytest.raises(ConfigError, match=r"public-readme\.md: no such file"):
        publish_course(course_of(private))


def test_what_is_not_released_is_named_and_left_out(private: SmallCourse, public: Git) -> None:
    (private.root / HW).unlink()
    done = publish_course(course_of(private))
    assert done.held_back == ("hw is not released yet",)
    assert HW not in paths(public)
    assert "| `hw` |" not in public("show", "master:README.md")


def test_what_lies_beside_a_release_is_named_and_left_out(
    private: SmallCourse, public: Git
) -> None:
    (private.root / "assignments" / "hw" / "notes.txt").write_text("ask on-time\n")
    done = publish_course(course_of(private))
    assert "assignments/hw/notes.txt" not in paths(public)
    assert HW in paths(public)
    assert any("notes.txt is no part of the release" in sentence for sentence in done.held_back)


def test_of_a_demonstrations_fields_only_those_on_the_list_are_published(
    private: SmallCourse, public: Git
) -> None:
    demo = notebook(
        code("a = 1") | {"outputs": [{"output_type": "stream", "name": "stdout", "text": "1\n"}]}
    )
    wanted = json.loads(json.dumps(demo))
    demo["metadata"]["colab"] = {"name": "mine.ipynb"}
    demo["cells"][0]["metadata"]["executionInfo"] = {"user": {"displayName": "The Instructor"}}
    (private.root / "demonotebooks" / "demo.ipynb").write_text(json.dumps(demo))
    publish_course(course_of(private))
    assert json.loads(public("show", "master:demonotebooks/demo.ipynb")) == wanted


def test_a_release_with_an_account_in_it_is_refused(private: SmallCourse, public: Git) -> None:
    mine = notebook(*RELEASED)
    mine["metadata"]["colab"] = {"name": "mine.ipynb"}
    (private.root / HW).write_text(json.dumps(mine))
    with pytest.raises(PublishRefused, match=r"release it again:\n  metadata: colab"):
        publish_course(course_of(private))


def test_what_is_not_committed_is_told(private: SmallCourse, public: Git) -> None:
    git = Git(private.root)
    git("init", "--quiet")
    (private.root / ".gitignore").write_text("roster.csv\n")
    git.commit({}, "The course")
    assert describe_uncommitted(course_of(private)) == []
    (private.root / "notes.md").write_text("not of the course's\n")
    assert describe_uncommitted(course_of(private)) == []
    private.config.write_text(private.config.read_text() + "\n")
    (private.root / "solutions" / "hw" / "new.csv").write_text("1\n")
    told = "not committed here: grading_config.py, solutions/hw/new.csv; "
    assert describe_uncommitted(course_of(private)) == [
        told + "what is published comes from files that only this folder has"
    ]
    done = subprocess.run(
        [*warm_autograder.command(), "publish", "--config", str(private.config)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told in done.stderr


def test_a_link_to_another_file_is_refused(private: SmallCourse, public: Git) -> None:
    (private.root / "autograder" / "more.py").symlink_to(private.root / "roster.csv")
    with pytest.raises(PublishRefused, match=r"more\.py is a link"):
        publish_course(course_of(private))
    assert public("for-each-ref") == ""


def test_a_release_that_is_older_than_its_source_is_refused(
    private: SmallCourse, public: Git
) -> None:
    cells = [*RELEASED[:3], test(TEST_DOUBLE)]
    (private.root / HW).write_bytes(dump(cells))
    with pytest.raises(PublishRefused, match=r"release it again:(.|\n)*assert double\(21\) == 42"):
        publish_course(course_of(private))
    assert public("for-each-ref") == ""


def test_without_an_address_nothing_is_published(private: SmallCourse) -> None:
    configure(private)
    with pytest.raises(UsageError, match=r"c\.Course\.upstream .* or use --to"):
        publish_course(course_of(private))


# --- one more commit -----------------------------------------------------------------------------------------------


def test_each_publication_adds_one_commit(
    private: SmallCourse, public: Git, published: str
) -> None:
    (private.root / "LICENSE").write_text("MIT, again\n")
    second = publish_course(course_of(private))
    assert public("rev-list", "master").split() == [second.commit, published]
    assert public("log", "--format=%s", "master").splitlines() == [
        "Update the course",
        "Publish hw",
    ]
    assert "LICENSE" in second.changes and "1 file changed" in second.changes


def test_without_news_there_is_no_commit(private: SmallCourse, public: Git, published: str) -> None:
    done = publish_course(course_of(private))
    assert (done.commit, done.pushed, done.changes) == ("", False, "")
    assert public("rev-parse", "master") == published


def test_what_is_gone_here_goes_there(private: SmallCourse, public: Git, published: str) -> None:
    (private.root / "demonotebooks" / "demo.ipynb").unlink()
    publish_course(course_of(private))
    assert "demonotebooks/demo.ipynb" not in paths(public)
    assert "demonotebooks/demo.ipynb" in paths(public, published)


def test_students_pulls_merge(
    private: SmallCourse, public: Git, published: str, elsewhere: Git
) -> None:
    """Whatever is published later: a student's clone with work of their own takes it without a conflict."""
    elsewhere.commit({"assignments/hw/hw_solved.ipynb": dump([code(ANSWER)])})
    (private.root / HW).write_bytes(dump([*RELEASED, text("More.")]))
    private.write(
        text("# Homework"), code("import math"), solution(DOUBLE), test(TEST_DOUBLE), text("More.")
    )
    publish_course(course_of(private))
    elsewhere("pull", "--quiet", "--no-rebase", "--no-edit")
    assert elsewhere.read(HW) == dump([*RELEASED, text("More.")])


def test_a_dry_run_shows_everything_and_changes_nothing(private: SmallCourse, public: Git) -> None:
    arguments = [*warm_autograder.command(), "publish", "--config", str(private.config)]
    dry = subprocess.run(
        [*arguments, "--dry-run"], capture_output=True, text=True, check=True
    ).stdout
    assert public("for-each-ref") == ""
    wet = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    assert set(paths(public)) <= set(dry.splitlines())
    changed = f"{len(paths(public))} files changed"
    assert changed in dry and changed in wet
    assert "would get one more commit" in dry and "got one more commit" in wet


def test_another_address_can_be_named(private: SmallCourse, public: Git, tmp_path: Path) -> None:
    Git(tmp_path)("init", "--quiet", "--bare", "--initial-branch=master", "other.git")
    assert publish_course(course_of(private), str(tmp_path / "other.git")).pushed
    assert public("for-each-ref") == ""
    assert HW in paths(Git(tmp_path / "other.git"))


# --- changed elsewhere ---------------------------------------------------------------------------------------------


def test_a_commit_made_elsewhere_is_not_undone_unasked(
    private: SmallCourse, public: Git, published: str, elsewhere: Git
) -> None:
    theirs = elsewhere.commit({"README.md": b"# Edited on the web\n"}, "Correct a word")
    elsewhere("push", "--quiet")
    with pytest.raises(PublishRefused) as refused:
        publish_course(course_of(private))
    for words in ("changed elsewhere", "Correct a word: README.md", f"--over {theirs[:10]}"):
        assert words in str(refused.value)
    assert public("rev-parse", "master") == theirs
    done = publish_course(course_of(private), over=theirs[:10])
    assert public("rev-list", "master").split() == [done.commit, theirs, published]
    assert publish_course(course_of(private)).commit == ""


@pytest.mark.parametrize("over", ["", "abc", "0123456789"], ids=["nothing", "too short", "another"])
def test_only_the_named_commit_is_published_over(
    private: SmallCourse, public: Git, published: str, elsewhere: Git, over: str
) -> None:
    elsewhere.commit({"README.md": b"# Edited on the web\n"})
    elsewhere("push", "--quiet")
    with pytest.raises(PublishRefused):
        publish_course(course_of(private), over=over)


def test_an_existing_repository_needs_a_word_before_it_is_taken_over(
    private: SmallCourse, public: Git, elsewhere: Git
) -> None:
    old = elsewhere.commit({"old.txt": b"the course of another year\n"}, "Another year")
    elsewhere("push", "--quiet", "origin", "HEAD:master")
    with pytest.raises(PublishRefused, match=r"Another year: old\.txt"):
        publish_course(course_of(private))
    assert publish_course(course_of(private), over=old).pushed
    assert public("rev-list", "--count", "master") == "2"


def test_a_rewritten_history_is_refused_and_can_be_put_back(
    private: SmallCourse, public: Git, published: str, elsewhere: Git
) -> None:
    (private.root / "LICENSE").write_text("MIT, again\n")
    second = publish_course(course_of(private)).commit
    elsewhere("reset", "--quiet", "--hard", published)
    elsewhere("push", "--quiet", "--force", "origin", "HEAD:master")
    with pytest.raises(PublishRefused, match="was rewritten") as refused:
        publish_course(course_of(private))
    advice = next(
        line for line in str(refused.value).splitlines() if line.startswith("    git push")
    )
    store = re.search(r"it is kept in ([^)]+)\)", str(refused.value))[1]
    subprocess.run(advice.split(), cwd=store, check=True, capture_output=True)
    assert public("rev-parse", "master") == second
    assert publish_course(course_of(private)).commit == ""


def test_a_deleted_branch_counts_as_rewritten(
    private: SmallCourse, public: Git, published: str
) -> None:
    public("update-ref", "-d", "refs/heads/master")
    with pytest.raises(PublishRefused, match="was rewritten"):
        publish_course(course_of(private))


def test_a_push_that_is_not_taken_is_explained(private: SmallCourse, public: Git) -> None:
    hook = public.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PublishRefused, match="protects its branch"):
        publish_course(course_of(private))


def test_an_unreachable_repository_is_told_without_its_password(private: SmallCourse) -> None:
    with pytest.raises(GitFailed) as failed:
        publish_course(course_of(private), "http://name:password@127.0.0.1:9/course.git")
    assert "127.0.0.1:9/course.git" in str(failed.value)
    assert "password" not in str(failed.value)


# --- leaks ---------------------------------------------------------------------------------------------------------

PLANTED = {
    "a solution": {HW: dump([code("    return 2 * x")])},
    "a hidden test": {HW: dump([code("assert double(21) == 42")])},
    "a hidden test in a text": {"notes.md": b"try this:\n\n    assert double(21) == 42\n"},
    "a stored output": {
        "a.ipynb": dump(
            [
                code("1")
                | {
                    "outputs": [
                        {
                            "output_type": "stream",
                            "name": "stdout",
                            "text": ["assert double(21) == 42\n"],
                        }
                    ]
                }
            ]
        )
    },
    "a broken notebook": {"a.ipynb": dump([code("x\n    return 2 * x\ny")])[:-30]},
    "a marker": {"a.ipynb": dump([code("### BEGIN HIDDEN TESTS\nassert 1")])},
    "a row of the roster": {"people.txt": ROSTER.splitlines()[1].encode()},
    "an address": {"README.md": b"ask on-time@students.example\n"},
    "a line of the ledger": {"data.txt": b'{"entry":"push","commit":"0123"}\n'},
    "an account in a notebook's metadata": {
        HW: json.dumps(
            notebook(*RELEASED) | {"metadata": {"colab": {"name": "mine", "file_id": "1AbC"}}}
        ).encode()
    },
    "a picture of a mark scheme, attached": {
        HW: dump(
            [text("![](attachment:a.png)") | {"attachments": {"a.png": {"image/png": PICTURE}}}]
        )
    },
    "a picture of a mark scheme, put out": {
        "demonotebooks/demo.ipynb": dump(
            [
                code("1")
                | {
                    "outputs": [
                        {
                            "output_type": "display_data",
                            "metadata": {},
                            "data": {"image/png": PICTURE},
                        }
                    ]
                }
            ]
        )
    },
    "a picture of a mark scheme, in a page": {
        "a.html": f'<img src="data:image/png;base64,{PICTURE}">'.encode()
    },
    "a picture of a mark scheme, as a file": {"a.png": base64.b64decode(PICTURE)},
    "a key of the pages": {"site.json": b'{"k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}'},
    "a private key": {"id": b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"},
    "a token": {"config": b"token = ghp_" + b"a1B2" * 9 + b"\n"},
}
IN_PRIVATE_PLACES: dict[str, dict[str, bytes]] = {  # whatever is in them
    "the roster's file": {"roster.csv": b""},
    "the ledger's folder": {"ledger/x.jsonl": b"\n"},
    "the gradebook": {"old/gradebook.db": b"x"},
    "the sources": {"solutions/hw/readme.txt": b"y"},
    "known mistakes": {"assignments/hw/mistakes.py": b"x = 1\n"},
}


@pytest.mark.parametrize("slips", [PLANTED, IN_PRIVATE_PLACES], ids=["contents", "places"])
def test_what_leaked_in_an_old_commit_is_found(
    private: SmallCourse,
    public: Git,
    published: str,
    elsewhere: Git,
    slips: dict[str, dict[str, bytes]],
) -> None:
    """Planted and taken away again, long ago: the newest files show nothing, the history does."""
    scheme = text("### BEGIN MARK SCHEME\n![](attachment:a.png)\n### END MARK SCHEME", **ESSAY)
    scheme["attachments"] = {"a.png": {"image/png": PICTURE}}
    private.write(
        text("# Homework"), code("import math"), solution(DOUBLE), test(TEST_DOUBLE), scheme
    )
    planted, last = {}, ""
    for slip, files in slips.items():
        planted[slip] = elsewhere.commit(files, "A slip")
        last = elsewhere.commit({name: None for name in files}, "Take it away")
    elsewhere("push", "--quiet")
    with pytest.raises(PublishRefused, match="would show, or shows already") as refused:
        publish_course(course_of(private), over=last)
    found = {
        slip
        for slip, files in slips.items()
        if f"{planted[slip][:10]} {next(iter(files))}" in str(refused.value)
    }
    assert found == set(slips)
    assert public("rev-parse", "master") == last


@pytest.mark.parametrize("where", ["branch", "tag", "message"])
def test_branches_tags_and_messages_are_searched(
    private: SmallCourse, public: Git, published: str, elsewhere: Git, where: str
) -> None:
    elsewhere("switch", "--quiet", "--create", "side")
    slip = (
        {"notes.md": b"assert double(21) == 42\n"} if where != "message" else {"notes.md": b"x\n"}
    )
    elsewhere.commit(slip, "assert double(21) == 42" if where == "message" else "Side")
    elsewhere("tag", "mark")
    elsewhere("push", "--quiet", "origin", "mark" if where == "tag" else "side")
    with pytest.raises(
        PublishRefused, match=r"a hidden test of hw, cell double: assert double\(21\) == 42"
    ):
        publish_course(course_of(private))


def test_students_requests_to_merge_are_not_the_courses_history(
    private: SmallCourse, public: Git, published: str, elsewhere: Git
) -> None:
    """A forge keeps them as refs of its own, and a student may well have found the solution's very line."""
    elsewhere.commit(
        {"assignments/hw/hw_solved.ipynb": dump([code("def double(x):\n    return 2 * x")])}
    )
    elsewhere("push", "--quiet", "origin", "HEAD:refs/pull/1/head")
    assert publish_course(course_of(private)).commit == ""


@pytest.mark.parametrize(
    "files",
    [
        {"notes.md": b"import math\nassert double(1) == 2, 'twice one is two'\n"},
        {"demonotebooks/demo.ipynb": dump([code("def twice(x):\n    return 2 * x")])},
        {"course.txt": b"https://forge.example/\nstudent,remote,name,email\n"},
    ],
    ids=["public lines", "a demonstration of the same", "a heading"],
)
def test_what_is_no_secret_is_no_leak(
    private: SmallCourse, public: Git, published: str, elsewhere: Git, files: dict[str, Any]
) -> None:
    last = elsewhere.commit(files)
    elsewhere("push", "--quiet")
    assert publish_course(course_of(private), over=last).pushed


def test_a_whole_hidden_cell_in_a_demonstration_is_a_leak() -> None:
    lines = {
        f"assert double({number}) == {2 * number}": "a hidden test" for number in range(100, 104)
    }
    secrets = CourseSecrets(lines, frozenset())
    for many, found in ((2, 0), (3, 1)):
        content = "\n".join(list(lines)[:many]).encode()
        assert (
            len(secrets.find_in_file("demonotebooks/demo.ipynb", dump([code(content.decode())])))
            == found
        )
        assert len(secrets.find_in_file("autograder/checks.py", content)) == found
        assert len(secrets.find_in_file("assignments/hw/hw.ipynb", content)) == 1


def test_a_known_file_can_be_accepted(
    private: SmallCourse, public: Git, published: str, elsewhere: Git
) -> None:
    last = elsewhere.commit({"notes.md": b"assert double(21) == 42\n"})
    elsewhere("push", "--quiet")
    with pytest.raises(PublishRefused) as refused:
        publish_course(course_of(private), over=last)
    blob = re.search(r"--accept (\w+)", str(refused.value))[1]
    with pytest.raises(PublishRefused):
        publish_course(course_of(private), over=last, accept=["0" * 10, blob[:3]])
    assert publish_course(course_of(private), over=last, accept=[blob]).pushed


# --- solutions -----------------------------------------------------------------------------------------------------


def with_solutions(private: SmallCourse, public: Git, date: str) -> Course:
    entry = {"title": "Homework", "deadline": "2027-03-06 23:59", "solutions": date}
    configure(
        private,
        f"c.Course.upstream = {public.path.as_uri()!r}",
        f"c.Course.assignments = {{'hw': {entry!r}}}",
    )
    return course_of(private)


def test_a_solution_comes_on_its_day_without_the_hidden_tests(
    private: SmallCourse, public: Git
) -> None:
    course = with_solutions(private, public, "2027-04-01 12:00")
    early = publish_course(course, now=BEFORE)
    assert early.held_back == ("the solution of hw: from 2027-04-01 12:00",)
    assert "assignments/hw/hw_solution.ipynb" not in paths(public)
    publish_course(course, now=AFTER)
    cells = json.loads(public("show", "master:assignments/hw/hw_solution.ipynb"))["cells"]
    sources = [cell["source"] for cell in cells]
    assert 'def double(x):\n    """Return twice x."""\n    return 2 * x' in sources
    assert 'assert double(1) == 2, "twice one is two"' in sources
    assert not any("21" in source or "###" in source for source in sources)
    assert all(cell["metadata"] == {} for cell in cells)
    assert public("log", "-1", "--format=%s", "master") == "Publish hw_solution"
    assert "([solution](assignments/hw/hw_solution.ipynb))" in public("show", "master:README.md")


def test_a_published_solution_still_hides_the_tests(
    private: SmallCourse, public: Git, elsewhere: Git
) -> None:
    course = with_solutions(private, public, "2027-04-01 12:00")
    last = publish_course(course, now=AFTER).commit
    elsewhere("pull", "--quiet", "origin", "master")
    last = elsewhere.commit({"notes.md": b"    return 2 * x\nassert double(21) == 42\n"})
    elsewhere("push", "--quiet", "origin", "HEAD:master")
    with pytest.raises(PublishRefused) as refused:
        publish_course(course, now=AFTER, over=last)
    assert "a hidden test of hw" in str(refused.value)
    assert "a solution of hw" not in str(refused.value)


def test_a_solution_waits_for_whoever_has_more_time(private: SmallCourse, public: Git) -> None:
    course = with_solutions(private, public, "2027-04-01 12:00")
    course.extensions.write_text("student,assignment,part,deadline\non-time,hw,,2027-06-01 12:00\n")
    done = publish_course(course, now=AFTER)
    assert done.held_back == ("the solution of hw: somebody has time until 2027-06-01 12:00",)
    assert "assignments/hw/hw_solution.ipynb" not in paths(public)


@pytest.mark.parametrize(
    ("entry", "ok"),
    [
        ({"deadline": "2027-03-06 23:59", "solutions": "2027-03-06 23:59"}, False),
        ({"deadline": "2027-03-06 23:59", "solutions": "2027-03-07 00:00"}, True),
        (
            {
                "deadline": "2027-03-06 23:59",
                "late": {"per_day": 0.1, "days": 2},
                "solutions": "2027-03-08 12:00",
            },
            False,
        ),
        (
            {
                "deadline": "2027-03-06 23:59",
                "late": {"per_day": 0.1, "days": 2},
                "solutions": "2027-03-09 12:00",
            },
            True,
        ),
        ({"solutions": "2027-03-06 23:59"}, True),
        ({"deadline": "2027-03-06 23:59", "solutions": "soon"}, False),
    ],
    ids=[
        "at the deadline",
        "after it",
        "while late ones count",
        "after that",
        "no deadline",
        "no date",
    ],
)
def test_a_solutions_date_must_be_after_the_last_push_that_can_count(
    private: SmallCourse, entry: dict[str, Any], ok: bool
) -> None:
    configure(private, f"c.Course.assignments = {{'hw': {entry!r}}}")
    if ok:
        assert course_of(private).assignments["hw"].solutions
    else:
        with pytest.raises(ConfigError, match=r"\['hw'\]\['solutions'\]"):
            course_of(private)


def test_mark_schemes_and_outputs_are_no_part_of_a_solution() -> None:
    scheme = text(
        "What is wrong?\n=== BEGIN MARK SCHEME ===\nOne point for the sign.\n=== END MARK SCHEME ==="
    )
    ran = code("1") | {
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "1"}],
        "execution_count": 3,
    }
    made = json.loads(solution_notebook(json.dumps(notebook(scheme, ran)).encode()))
    assert [cell["source"] for cell in made["cells"]] == ["What is wrong?", "1"]
    assert (made["cells"][1]["outputs"], made["cells"][1]["execution_count"]) == ([], None)


# --- the course itself ---------------------------------------------------------------------------------------------


@pytest.fixture
def real(public: Git, tmp_path: Path) -> Course:
    """The course of this repository, to be published to a folder."""
    course = load_course(REPOSITORY / "grading_config.py")
    upstream = tmp_path / "forge" / "teachers" / "DeepLearningCourse.git"
    public.path.rename(upstream)
    nowhere: dict[str, Any] = {
        name: tmp_path / name for name in ("forks", "roster", "extensions", "keys")
    }
    return replace(course, upstream=upstream.as_uri(), **nowhere)


def test_the_readme_works_word_by_word_on_the_published_course(
    real: Course, tmp_path: Path
) -> None:
    """Every command of it, in a fresh clone. Stand-ins: pip finds everything on this disk, and Jupyter is a person."""
    publish_course(real)
    upstream = Git(Path(real.upstream.removeprefix("file://")))
    fork = tmp_path / "forge" / "YOUR-NAME" / "DeepLearningCourse.git"
    Git(tmp_path)("clone", "--quiet", "--bare", str(upstream.path), str(fork))
    blocks = re.findall(
        r"```bash\n(.*?)```", upstream("show", f"{real.branch}:README.md"), re.DOTALL
    )
    assert [block.split()[0] for block in blocks] == [
        "git",
        "autograder",
        "autograder",
        "git",
        "autograder",
    ]
    said = by_hand(tmp_path, *blocks[:4])
    first = next(name for name in real.assignments if real.release_path(name).exists())
    assert f"made assignments/{first}/{first}_solved.ipynb" in said
    assert "✓ 2 of 2" in said and "practice results" in said
    assert Git(fork)("log", "-1", "--format=%s") == f"Homework {first}"
    publish_course(replace(real, site_url="https://points.example"))
    said = by_hand(tmp_path, "cd DeepLearningCourse\nsource .venv/bin/activate\n", blocks[4])
    assert "1 new commit of the course" in said
    assert (
        Git(fork)("merge-base", "--is-ancestor", upstream("rev-parse", real.branch), "HEAD") == ""
    )
    clone = tmp_path / "DeepLearningCourse"
    line = "import autograder, autograder.checks, autograder.figures; print(autograder.__file__)"
    done = subprocess.run(
        [clone / ".venv/bin/python", "-c", line], cwd=tmp_path, capture_output=True, text=True
    )
    assert Path(done.stdout.strip()).is_relative_to(clone)


BY_HAND = """\
set -euo pipefail
pip() {
    [ "$*" = "install -r requirements.txt" ] && [ -f requirements.txt ] && [ -f pyproject.toml ]
    printf '%s\\n' "$PWD" "$SITE" > "$(python -c 'import site; print(site.getsitepackages()[0])')/course.pth"
    printf '#!%s\\nfrom autograder.cli import main\\nmain()\\n' "$PWD/.venv/bin/python" > .venv/bin/autograder
    chmod +x .venv/bin/autograder
}
jupyter() {
    [ "$1" = lab ] && python "$ANSWER" "$2"
}
"""
PERSON = """\
import json, sys
from pathlib import Path

path = Path(sys.argv[1])
notebook = json.loads(path.read_text())
for cell in notebook["cells"]:
    source = "".join(cell["source"])
    if "def graded_zero_vector(length):" in source:
        cell["source"] = source.replace("raise NotImplementedError", "return np.zeros((length, 1))")
path.write_text(json.dumps(notebook))
"""


def by_hand(folder: Path, *blocks: str) -> str:
    """Run blocks of commands in one shell, as a person does who copies them from a page."""
    (folder / "answer.py").write_text(PERSON)
    environment = {
        "HOME": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SITE": sysconfig.get_path("purelib"),
        "ANSWER": str(folder / "answer.py"),
        "GIT_CONFIG_GLOBAL": os.environ["GIT_CONFIG_GLOBAL"],
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        ["bash", "-c", "\n".join([BY_HAND, *blocks])],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_nothing_of_the_course_is_secret_and_public_at_once(real: Course) -> None:
    """Each source's hidden lines against all that would be published; and the search sees them where they are."""
    exams = {
        name: read_exam(real.source_path(name), entry.patterns)
        for name, entry in real.assignments.items()
    }
    secrets = gather_secrets(real, exams)
    for path, content in build_public_tree(real, exams, BEFORE).files.items():
        assert secrets.find_in_file(path, content) == [], path
    assert len(secrets.lines) > 200
    for name in exams:
        assert secrets.find_in_file(
            f"assignments/{name}/{name}.ipynb", real.source_path(name).read_bytes()
        )


def test_everything_allowed_is_there(real: Course) -> None:
    missing = [pattern for pattern in ALLOWED if not any(real.root.glob(pattern))]
    assert missing == []


# --- what travels with the course ----------------------------------------------------------------------------------


def commands() -> dict[str, set[str]]:
    """Every command of the command line with its options."""
    import typer

    group = typer.main.get_command(app)
    return {
        name: {
            option
            for parameter in command.params
            for option in parameter.opts
            if option.startswith("-")
        }
        for name, command in group.commands.items()  # type: ignore[attr-defined]
    }


@pytest.mark.parametrize("page", ["docs/students.md", "docs/public-readme.md"])
def test_pages_for_students_name_only_commands_there_are(page: str) -> None:
    known = commands()
    for name, rest in re.findall(r"\bautograder (\w+)([^`\n]*)", (REPOSITORY / page).read_text()):
        assert name in known, f"autograder {name}"
        assert set(re.findall(r"--[a-z-]+", rest)) <= known[name] | {"--help"}, (
            f"autograder {name}{rest}"
        )


@pytest.mark.parametrize("command", ["start", "check", "submit", "update"])
def test_students_can_read_about_every_option(command: str) -> None:
    page = (REPOSITORY / "docs" / "students.md").read_text()
    assert f"`autograder {command}" in page
    assert {option for option in commands()[command] if option.startswith("--")} <= set(
        re.findall(r"--[a-z-]+", page)
    )


def test_devcontainer_and_binder_install_the_requirements() -> None:
    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"][
        "requires-python"
    ]
    least = tuple(map(int, wanted.removeprefix(">=").split(".")))
    container = json.loads((REPOSITORY / ".devcontainer" / "devcontainer.json").read_text())
    image = re.fullmatch(
        r"mcr\.microsoft\.com/devcontainers/python:(\d+)\.(\d+)-bookworm", container["image"]
    )
    runtime = re.fullmatch(
        r"python-(\d+)\.(\d+)\n", (REPOSITORY / "binder" / "runtime.txt").read_text()
    )
    assert tuple(map(int, image.groups())) >= least
    assert tuple(map(int, runtime.groups())) >= least
    assert container["postCreateCommand"] == "pip install -r requirements.txt"
    assert (REPOSITORY / "binder" / "requirements.txt").read_text() == "-r ../requirements.txt\n"


def workflow() -> dict[str, Any]:
    return yaml.safe_load((REPOSITORY / ".github" / "workflows" / "check.yml").read_text())


def test_the_checks_last_step_runs_in_a_students_fork(real: Course, tmp_path: Path) -> None:
    publish_course(real)
    Git(tmp_path)("clone", "--quiet", real.upstream, "fork")
    fork = Git(tmp_path / "fork")
    before = fork("rev-parse", "HEAD")
    first = next(iter(real.assignments))
    copy = f"assignments/{first}/{first}_solved.ipynb"
    fork.commit({copy: fork.read(f"assignments/{first}/{first}.ipynb")})
    step = next(iter(workflow()["jobs"].values()))["steps"][-1]
    assert step["env"] == {"BEFORE": "${{ github.event.before }}"}
    page = tmp_path / "summary.md"
    environment = os.environ | {
        "BEFORE": before,
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(page),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=fork.path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"### {copy}" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "nobodys"),
    [
        ("except Exception:", True), ("return False", True), ("return None", True), ("---------------", True),
        ("return double", False), ("except KernelError:", False), ("return 42", False), ("assert x == 1", False),
    ],
)  # fmt: skip
def test_a_line_of_pythons_words_alone_is_nobodys_secret(line: str, nobodys: bool) -> None:
    assert is_common_python(line) is nobodys
