"""A jail gives a notebook what it needs, keeps its limits, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from jails import SMALL, eventually, jail, jailed_kernel

from autograder.course.errors import JailFailed, KernelError
from autograder.jail import Jail
from autograder.jail.processes import list_descendants
from autograder.kernel.jailed_kernel import Kernel

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_zygotes")]

__all__ = ["jail"]


def value(jail: Jail, source: str, files: dict[str, bytes] | None = None) -> object:
    with jailed_kernel(jail, files) as kernel:
        ran = kernel.run_cell(source)
        assert ran.error is None, ran.error
        return kernel.namespace["answer"]


def test_a_notebook_computes(jail: Jail) -> None:
    assert value(
        jail, "import numpy as np\nanswer = float(np.linalg.det(np.diag([2.0, 3.0])))"
    ) == pytest.approx(6)


@pytest.mark.parametrize(
    "source",
    [
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.savefig('plot.png')\nanswer = True",
        "answer = get_ipython().getoutput('echo it works') == ['it works']",
        "import threading\ndone = []\nthread = threading.Thread(target=done.append, args=(1,))\n"
        "thread.start()\nthread.join()\nanswer = done == [1]",
        "import asyncio\nawait asyncio.sleep(0)\nanswer = True",
        "import multiprocessing\nchild = multiprocessing.Process(target=print)\n"
        "child.start()\nchild.join()\nanswer = child.exitcode == 0",
        "import tempfile\nwith tempfile.TemporaryFile() as file:\n    answer = file.write(b'abc') == 3",
        "import sqlite3, colorsys, html.parser\nanswer = True",
        "import sklearn.linear_model\nanswer = True",
        "import subprocess, sys\nanswer = subprocess.check_output([sys.executable, '-c', 'print(1)']) == b'1\\n'",
        "import shutil, os\nshutil.copy('shipped.txt', 'copy')\nanswer = os.path.exists('copy')",
        "import os, pathlib\nanswer = os.getcwd() != os.environ['HOME'] and pathlib.Path('~').expanduser().is_dir()",
        "import getpass\nanswer = getpass.getuser() == 'student'",
        "import resource, time\nanswer = time.perf_counter() > 0 and resource.getrusage(0).ru_utime >= 0",
    ],
    ids=[
        *(
            "plots",
            "shell",
            "threads",
            "await",
            "processes",
            "temporary files",
            "standard library",
            "scikit-learn",
        ),
        *("Python itself", "copies of files", "home", "user", "clocks"),
    ],
)
def test_a_notebook_has(jail: Jail, source: str) -> None:
    assert value(jail, source, {"shipped.txt": b"shipped"}) is True


def test_shared_locks_work_where_there_is_a_private_shm(jail: Jail) -> None:
    source = "import multiprocessing\nwith multiprocessing.Pool(2) as pool: answer = pool.map(abs, [-1, 2])"
    if jail.rung == 3:
        with jailed_kernel(jail) as kernel:
            assert kernel.run_cell(source).error is not None
    else:
        assert value(jail, source) == [1, 2]


def test_its_files_are_there_and_writable(jail: Jail) -> None:
    files = {"data/numbers.csv": b"1,2\n" * 5000, "empty.txt": b""}
    source = (
        "import os, stat\nnames = ['data/numbers.csv', 'empty.txt']\n"
        "answer = [[os.path.getsize(name), open(name, 'a').write('3')] for name in names]"
    )
    assert value(jail, source, files) == [[20000, 1], [0, 1]]
    assert value(jail, source, files) == [[20000, 1], [0, 1]], (
        "the next submission has them as they were"
    )


def test_its_files_do_not_count_as_the_notebooks_own(jail: Jail) -> None:
    files = {"large.bin": bytes(SMALL.disk_mb << 20)}
    assert value(jail, "answer = open('own', 'wb').write(bytes(8 << 20))", files) == 8 << 20


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../b", ""])
def test_a_file_must_stay_in_the_working_directory(jail: Jail, name: str) -> None:
    with pytest.raises(ValueError, match="is not a path in the working directory"):
        jail.spawn({name: b""})


def test_numerical_libraries_use_one_thread(jail: Jail) -> None:
    source = "import numpy, os\nnumpy.ones((300, 300)) @ numpy.ones((300, 300))\n"
    assert (
        value(jail, source + "import threading\nanswer = os.environ['OPENBLAS_NUM_THREADS']") == "1"
    )


def test_submissions_at_the_same_time_are_apart(jail: Jail) -> None:
    kernels = [jailed_kernel(jail) for _ in range(4)]
    entered = [kernel.__enter__() for kernel in kernels]
    try:
        for number, kernel in enumerate(entered):
            kernel.run_cell(f"import os\nx = {number}\nopen('mine', 'w').write('{number}')")
        for number, kernel in enumerate(entered):
            kernel.run_cell("answer = [x, open('mine').read(), os.listdir()]")
            assert kernel.namespace["answer"] == [number, str(number), ["mine"]]
    finally:
        for context in kernels:
            context.__exit__(None, None, None)


BOMB = """
import os, time
for _ in range(3):
    os.fork()
kept = bytearray(b"x" * (100 << 20))
time.sleep(5)
"""


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (BOMB, "The notebook used more than 256 MB of memory and was stopped."),
        (
            "import time\ntime.sleep(9)",
            "The notebook ran for more than 1 seconds in all and was stopped.",
        ),
    ],
    ids=["memory", "seconds"],
)
def test_a_limit_is_told_in_a_sentence(jail: Jail, source: str, sentence: str) -> None:
    limits = replace(SMALL, seconds=1 if "1 seconds" in sentence else 60)
    with jail.spawn(limits=limits) as jailed:
        kernel = Kernel(jailed.socket, replace(limits, seconds=60))
        with pytest.raises(KernelError):
            kernel.run_cell(source)
        assert jailed.await_end() == jailed.check_limits() == sentence


def test_an_ordinary_end_has_no_last_words(jail: Jail) -> None:
    with jail.spawn() as jailed:
        jailed.socket.close()
        assert jailed.await_end() is None


def test_too_much_memory_in_one_process_is_an_ordinary_error(jail: Jail) -> None:
    with jailed_kernel(jail) as kernel:
        error = kernel.run_cell("import numpy as np\nkept = np.ones(100_000_000)").error
        assert error is not None and error.ename.endswith("MemoryError")
        assert kernel.run_cell("after = 1").error is None


def test_a_dead_zygote_is_replaced(jail: Jail) -> None:
    with jail.spawn() as orphan:
        try:
            for process in list_descendants(jail._keeper._process.pid):
                os.kill(process, signal.SIGKILL)
        except PermissionError:
            pytest.skip("the zygote was started with sudo: this test may not kill it")
        assert value(jail, "answer = 1") == 1
        assert orphan.await_end() is None
        assert orphan.socket.recv(1) == b""


def test_a_closed_jail_makes_no_more(jail: Jail) -> None:
    other = Jail(SMALL, rung=jail.rung)
    other.close()
    with pytest.raises(JailFailed):
        other._keeper.spawn({}, SMALL)


def test_steps_are_taken_until_the_warm_process_is_ready(jail: Jail) -> None:
    taken: list[int] = []

    def work() -> Iterator[None]:
        for number in range(100_000):
            taken.append(number)
            time.sleep(0.01)
            yield

    steps = work()
    with Jail(SMALL, rung=jail.rung, modules=(), meanwhile=steps) as other:
        before = len(taken)
        assert value(other, "answer = 1") == 1
    next(steps)  # what was left is still there, for later
    assert 0 < before == len(taken) - 1 < 100_000 - 1


def test_who_breaks_off_while_the_warm_process_starts_leaves_none_behind(jail: Jail) -> None:
    def work() -> Iterator[None]:
        raise KeyboardInterrupt
        yield

    before = set(list_descendants(os.getpid()))
    with pytest.raises(KeyboardInterrupt):
        Jail(SMALL, rung=jail.rung, modules=(), meanwhile=work())
    assert set(list_descendants(os.getpid())) <= before


def test_a_jail_made_in_a_thread_outlives_it(jail: Jail) -> None:
    made: list[Jail] = []
    thread = threading.Thread(target=lambda: made.append(Jail(SMALL, rung=jail.rung)))
    thread.start()
    thread.join()
    with made[0] as other:
        time.sleep(0.2)
        process = other._keeper._process
        assert value(other, "answer = 2") == 2
        assert other._keeper._process is process


GRADER = """
import sys, time
from autograder.jail import Jail
from autograder.kernel.jailed_kernel import Kernel
jail = Jail(rung={rung})
jailed = jail.spawn()
kernel = Kernel(jailed.socket, jail.limits)
kernel.run_cell("import subprocess; subprocess.Popen(['sleep', '{seconds}'])")
print("ready", flush=True)
time.sleep(60)
"""


def test_when_the_grader_is_killed_everything_ends(jail: Jail) -> None:
    seconds = f"7{time.time_ns() % 10**9}"
    program = [sys.executable, "-c", GRADER.format(rung=jail.rung, seconds=seconds)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, start_new_session=True) as grader:
        assert grader.stdout is not None and grader.stdout.readline() == b"ready\n"
        tree = list_descendants(grader.pid)
        assert eventually(lambda: bool(running(seconds)))
        grader.kill()
    assert eventually(lambda: not running(seconds))
    assert eventually(lambda: not any(Path(f"/proc/{process}").exists() for process in tree))


def running(seconds: str) -> list[str]:
    """Return the processes that sleep so many seconds."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"sleep\0{seconds}\0" in file.read_text():
                found.append(file.parent.name)
        except OSError:
            continue
    return found


def our_mounts(owner: int) -> list[str]:
    """The mounts everybody sees of a process that makes jails: others come and go on any machine."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line for line in lines if f"-{owner}-" in line]


def test_nothing_is_left_behind(jail: Jail) -> None:
    with Jail(SMALL, rung=jail.rung) as other:
        owner = other._keeper._process.pid
        mounts, processes = our_mounts(owner), list_descendants(owner)
        for source in (
            "x = 1",
            "import os; os._exit(1)",
            "import os; os.fork(); os.setsid()",
            "!sleep 9 >/dev/null 2>&1 &",
            "1 / 0",
        ):
            with jailed_kernel(other) as kernel:
                try:
                    kernel.run_cell(source)
                except KernelError:
                    continue
        assert our_mounts(owner) == mounts
        assert eventually(lambda: list_descendants(owner) == processes)
    left = [
        path
        for path in Path(tempfile.gettempdir()).glob("autograder-*")
        if f"-{owner}-" in path.name
    ]
    assert left == []
    assert eventually(lambda: not list(Path("/sys/fs/cgroup").glob(f"**/autograder-{owner}-*")))
