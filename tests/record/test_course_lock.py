import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import warm_autograder
from small_course import SmallCourse

from autograder.course.errors import Busy, DiskFailed
from autograder.record.course_lock import LOCK, one_writer


def autograder(course: SmallCourse, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*warm_autograder.command(), *arguments]
    return subprocess.run(command, cwd=course.root, capture_output=True, text=True, check=False)


def test_a_second_writer_hears_who_is_at_it_and_since_when(tmp_path: Path) -> None:
    years = {datetime.now().year}  # a new one may begin meanwhile
    with one_writer(tmp_path, "run"), pytest.raises(Busy) as busy, one_writer(tmp_path, "collect"):
        pass
    years.add(datetime.now().year)
    assert f"{tmp_path}: 'autograder run' (process {os.getpid()} on " in str(busy.value)
    assert any(f"works here since {year}-" in str(busy.value) for year in years)
    assert busy.value.exit_code == 75
    with one_writer(tmp_path, "collect"):
        pass


@pytest.mark.slow
def test_a_run_beside_another_ends_with_a_code_of_its_own_and_reading_goes_on(
    small_course: SmallCourse,
) -> None:
    (small_course.root / "roster.csv").write_text("student,remote\n")
    with one_writer(small_course.root, "run"):
        done = autograder(small_course, "run")
        assert (done.returncode, done.stdout) == (75, "")
        assert "'autograder run' (process " in done.stderr
        assert autograder(small_course, "standings").returncode == 0


def test_who_is_killed_leaves_the_way_free(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from autograder.record.course_lock import one_writer\n"
        f"with one_writer(Path({str(tmp_path)!r}), 'run'):\n    print('here', flush=True); time.sleep(1000)"
    )
    writer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "here\n"
    with pytest.raises(Busy, match=f"process {writer.pid} "), one_writer(tmp_path, "run"):
        pass
    writer.kill()
    writer.communicate()
    with one_writer(tmp_path, "run"):
        pass


def test_a_lock_that_says_nothing_yet_is_still_a_lock(tmp_path: Path) -> None:
    with one_writer(tmp_path, "run"):
        (tmp_path / LOCK).write_text("")
        with (
            pytest.raises(Busy, match="another autograder has just begun"),
            one_writer(tmp_path, "run"),
        ):
            pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskFailed, match=r"nowhere/\.autograder\.lock: No such file"), \
            one_writer(tmp_path / "nowhere", "run"):  # fmt: skip
        pass
