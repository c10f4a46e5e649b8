"""The process of a command ends at once, and as any other: its code, its output, what others still have to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ORDINARY = "from autograder.cli import main\nmain()"
AT_ONCE = "from autograder.cli.entry_point import run_process\nrun_process()"


def run_python(source: str, *arguments: str, **streams: object) -> subprocess.CompletedProcess[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    command = [sys.executable, "-c", source, *arguments]
    return subprocess.run(command, text=True, check=False, timeout=60, **pipes)  # type: ignore[call-overload,no-any-return]


def run_body(body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run some statements as the command, in a process that is a command's."""
    lines = [f"    {line}" for line in body.splitlines()]
    patch = "from autograder.cli import entry_point\nentry_point.run_app = run_app\n"
    return run_python("\n".join(["def run_app():", *lines, patch, AT_ONCE]), *arguments)


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("no-such-command",), ("start", "no-such-homework"), ()],
    ids=["help", "version", "no command", "no homework", "nothing"],
)
def test_codes_and_words_are_those_of_the_command_line(
    tmp_path: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ordinary = run_python(ORDINARY, *arguments)
    at_once = run_python(AT_ONCE, *arguments)
    assert (at_once.returncode, at_once.stdout, at_once.stderr) == (
        ordinary.returncode,
        ordinary.stdout,
        ordinary.stderr,
    )


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ("pass", 0, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no, because')", 1, "no, because\n"),
        ("raise KeyboardInterrupt", -signal.SIGINT, "KeyboardInterrupt\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
    ],
)
def test_every_way_to_end_has_its_code(body: str, code: int, words: str) -> None:
    done = run_body(body)
    assert done.returncode == code
    assert done.stderr.endswith(words)
    assert words or not done.stderr


def test_nothing_that_was_imported_is_torn_down() -> None:
    mourned = "global kept\nclass Kept:\n    def __del__(self): print('freed')\nkept = Kept()"
    assert run_body(mourned).stdout == ""
    # What looks at the command from outside, a profiler for one, may need that end.
    assert run_body(mourned, "--debug").stdout == "freed\n"


def test_all_that_was_printed_comes_through_a_pipe() -> None:
    done = run_body("import sys\nsys.stdout.write('x' * 3_000_000)\nsys.stderr.write('y')")
    assert len(done.stdout) == 3_000_000
    assert done.stderr == "y"


def test_what_others_put_in_order_at_the_end_is_put_in_order(tmp_path: Path) -> None:
    body = (
        "import atexit, logging.handlers, multiprocessing.util, tempfile\n"
        "global folder\n"
        f"folder = tempfile.TemporaryDirectory(dir={str(tmp_path)!r})\n"
        "atexit.register(print, 'atexit')\n"
        "multiprocessing.util.Finalize(None, print, ('multiprocessing',), exitpriority=1)\n"
        f"file = logging.FileHandler({str(tmp_path / 'log')!r})\n"
        "log = logging.handlers.MemoryHandler(9, target=file)\n"
        "log.emit(logging.makeLogRecord({'msg': 'logged'}))\n"
    )
    done = run_body(body)
    assert set(done.stdout.split()) == {"atexit", "multiprocessing"}
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    assert (tmp_path / "log").read_text(encoding="utf-8") == "logged\n"


def test_another_thread_is_waited_for() -> None:
    body = "import threading\nthreading.Timer(0.2, print, ['late']).start()"
    assert run_body(body).stdout == "late\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full is Linux's")
def test_output_that_nobody_can_take_ends_as_ever() -> None:
    with Path("/dev/full").open("w") as full:
        ordinary = run_python(ORDINARY, "--help", stdout=full)
        at_once = run_python(AT_ONCE, "--help", stdout=full)
    assert at_once.returncode == ordinary.returncode != 0
    assert at_once.stderr.splitlines()[-1] == ordinary.stderr.splitlines()[-1]


@pytest.mark.parametrize("source", [ORDINARY, AT_ONCE], ids=["ordinary", "at once"])
def test_a_reader_who_has_gone_ends_it_with_one(source: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = run_python(source, "--help", stdout=writer)
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert done.stderr == ""
