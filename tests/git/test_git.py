import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from autograder.course.errors import GitFailed
from autograder.git.git_command import OUT_OF_TIME, run_git
from autograder.git.repository import GitRepository, find_reason

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")


def hanging(mark: Path) -> list[str]:
    """A git whose helper starts one more process, says so in a file, and never ends."""
    helper = mark.with_suffix(".sh")
    helper.write_text(
        f"#!/bin/sh\nsleep 1000 &\necho $! > '{mark}.new'\nmv '{mark}.new' '{mark}'\nsleep 1000\n"
    )
    helper.chmod(0o755)
    return ["-c", f"alias.hang=!'{helper}'", "hang"]


def until(holds: Any, seconds: float = 60.0) -> bool:
    """Whether something holds before long: a loaded machine may take its time."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(holds())


def running(mark: Path) -> bool:
    """Whether the process whose number is in a file lives."""
    try:
        state = (
            Path(f"/proc/{mark.read_text().strip()}/stat").read_text().rsplit(")", 1)[1].split()[0]
        )
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_at_its_time_limit_git_ends_with_all_its_helpers(tmp_path: Path) -> None:
    done = run_git(hanging(tmp_path / "mark"), seconds=2)
    assert done.code == OUT_OF_TIME
    assert find_reason(done.errors) == "no answer within 2 s"
    assert not running(tmp_path / "mark")


def test_a_helper_that_will_not_end_when_asked_is_killed(tmp_path: Path) -> None:
    helper = tmp_path / "stubborn.sh"
    helper.write_text(
        f"#!/bin/sh\ntrap '' TERM\necho $$ > '{tmp_path}/mark'\nwhile :; do sleep 1; done\n"
    )
    helper.chmod(0o755)
    assert run_git(["-c", f"alias.hang=!'{helper}'", "hang"], seconds=2).code == OUT_OF_TIME
    assert until(lambda: not running(tmp_path / "mark"))


@pytest.mark.usefixtures("hears_interrupts")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_git_ends_with_whoever_asked_for_it(tmp_path: Path, number: int) -> None:
    mark = tmp_path / "mark"
    ask = f"from autograder.git.git_command import run_git; run_git({hanging(mark)!r})"
    asking = subprocess.Popen([sys.executable, "-c", ask], stderr=subprocess.DEVNULL)
    assert until(mark.exists)
    assert running(mark)
    asking.send_signal(number)
    asking.wait()
    assert until(lambda: not running(mark))


def test_git_asked_for_in_a_thread_ends_with_the_process(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    # The main thread waits: an interpreter that is shutting down starts no process any more.
    ask = (
        "import threading; from autograder.git.git_command import run_git; "
        f"asking = threading.Thread(target=run_git, args=({hanging(mark)!r},)); "
        "asking.start(); asking.join()"
    )
    asking = subprocess.Popen([sys.executable, "-c", ask])
    assert until(mark.exists)
    asking.kill()
    asking.wait()
    assert until(lambda: not running(mark))


def test_what_is_given_to_git_reaches_it_and_what_it_says_comes_back(tmp_path: Path) -> None:
    content = os.urandom(3 << 20)
    store = GitRepository(tmp_path)
    store.git("init", "--quiet", "--bare", ".")
    blob = store.git("hash-object", "-w", "--stdin", input=content)
    assert store.raw("cat-file", "blob", blob) == content
    assert run_git(["nonsense"], folder=tmp_path).code == 1


def test_git_asks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a terminal at hand and a window to ask in, it still fails at once."""
    window = tmp_path / "askpass"
    window.write_text(f"#!/bin/sh\ntouch '{tmp_path}/asked'\nsleep 1000\n")
    window.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(window))
    monkeypatch.setenv("DISPLAY", ":0")
    command = ["credential", "fill"]
    done = run_git(command, folder=tmp_path, input=b"protocol=https\nhost=nowhere.invalid\n\n")
    assert done.code not in {0, OUT_OF_TIME}
    assert "terminal prompts disabled" in done.errors.decode()
    assert not (tmp_path / "asked").exists()


def test_what_a_surrounding_git_says_of_its_repository_does_not_reach_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    GitRepository(tmp_path).git("init", "--quiet", ".")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.bare=true'")
    assert GitRepository(tmp_path).git("rev-parse", "--is-bare-repository") == "false"


def test_what_git_writes_has_a_limit(tmp_path: Path) -> None:
    GitRepository(tmp_path).git("init", "--quiet", "--bare", ".")
    done = run_git(
        ["hash-object", "-w", "--stdin"], folder=tmp_path, input=os.urandom(3 << 20), most_mb=1
    )
    assert done.code != 0
    done = run_git(["-c", "alias.talk=!yes", "talk"], folder=tmp_path, most_mb=1)
    assert done.wrote_too_much
    assert len(done.output) == 1 << 20


def test_no_git_and_no_folder_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GitFailed, match="no such folder"):
        run_git(["--version"], folder=tmp_path / "nowhere")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(GitFailed, match="not installed"):
        run_git(["--version"])


def test_a_lock_in_the_way_is_named_with_what_to_do(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path)
    repository.git("init", "--quiet", ".")
    (tmp_path / ".git" / "index.lock").touch()
    (tmp_path / "file").touch()
    with pytest.raises(
        GitFailed, match=r"/\.git/index\.lock is there: another git works here, or one was killed"
    ):
        repository.git("add", "file")


def test_git_at_its_limit_removes_its_locks(tmp_path: Path) -> None:
    """It is asked to end before it is killed, so that its next run finds nothing in the way."""
    repository = GitRepository(tmp_path)
    repository.git("init", "--quiet", ".")
    editor = tmp_path / "filter.sh"
    editor.write_text("#!/bin/sh\nsleep 1000\n")
    editor.chmod(0o755)
    (tmp_path / ".gitattributes").write_text("* filter=slow\n")
    (tmp_path / "file").touch()
    arguments = ["-c", f"filter.slow.clean={shlex.quote(str(editor))}", "add", "file"]
    (tmp_path / "file").write_text("x")
    found = threading.Event()
    threading.Thread(
        target=lambda: until((tmp_path / ".git" / "index.lock").exists) and found.set()  # type: ignore[func-returns-value]
    ).start()
    assert run_git(arguments, folder=tmp_path, seconds=5).code == OUT_OF_TIME
    assert found.is_set(), "it had a lock"
    assert not (tmp_path / ".git" / "index.lock").exists()


def test_git_is_not_begun_as_a_copy_of_who_asks() -> None:
    """Of a process that has read a class the copy alone would take longer than git does."""
    ask = (
        "import os; from autograder.git.git_command import run_git; "
        "os.register_at_fork(before=lambda: print('copied')); "
        "print(run_git(['--version'], most_mb=1, says_too_much=True).code)"
    )
    asked = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert asked.stdout == "0\n"


def test_what_git_is_given_and_holds_may_have_any_descriptor(tmp_path: Path) -> None:
    """A process that has opened nothing else gives it the numbers that the shell would take, too."""
    ask = (
        "import fcntl, os; from autograder.git.git_command import run_git; "
        "lock = os.open('lock', os.O_RDWR | os.O_CREAT); fcntl.flock(lock, fcntl.LOCK_EX); "
        "holds = run_git(['-c', 'alias.look=!ls -l /proc/self/fd', 'look'], held=lock).output; "
        "given = run_git(['hash-object', '--stdin'], input=b'given', held=lock).output; "
        "print(lock, b'/lock' in holds, given.decode())"
    )
    asked = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    expected = subprocess.run(
        ["git", "hash-object", "--stdin"], input=b"given", capture_output=True, check=True
    )
    assert asked.stdout.split() == ["3", "True", expected.stdout.decode().strip()]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_git_gets_its_input_where_standard_streams_are_closed(closed: str, tmp_path: Path) -> None:
    """What a process opens then has the numbers of these streams, which in git's process are taken."""
    ask = (
        "from pathlib import Path; from autograder.git.git_command import run_git; "
        "Path('said').write_bytes(run_git(['hash-object', '--stdin'], input=b'given').output)"
    )
    command = f"{shlex.join([sys.executable, '-c', ask])} {closed}"
    subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=True)
    expected = subprocess.run(
        ["git", "hash-object", "--stdin"], input=b"given", capture_output=True, check=True
    )
    assert (tmp_path / "said").read_bytes() == expected.stdout
