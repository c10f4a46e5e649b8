"""Cells run, limits hold, and whatever the other end does, the trusted end gets an answer or a KernelError."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest
from jailless import kernel

from autograder.course.errors import KernelDied, KernelError, OutOfTime, WireError
from autograder.course.limits import CLOCK_FACTOR, Limits
from autograder.kernel.jailed_kernel import CellRun, Kernel

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh() -> Iterator[Kernel]:
    with kernel() as made:
        yield made


@pytest.fixture
def hurried() -> Iterator[Kernel]:
    with kernel(Limits(cell_seconds=0.5, call_seconds=0.5)) as made:
        yield made


def test_names_made_by_a_cell_are_there_for_the_next(fresh: Kernel) -> None:
    fresh.run_cell("x = 20")
    fresh.run_cell("x += 1")
    assert fresh.namespace["x"] == 21


def test_a_cell_that_fails_reports_its_error_and_does_not_stop_the_next(fresh: Kernel) -> None:
    ran = fresh.run_cell("before = 1\n1 / 0\nafter = 1")
    assert ran.error is not None
    assert (ran.error.ename, ran.error.evalue) == ("ZeroDivisionError", "division by zero")
    assert "line 2" in ran.error.traceback
    assert "autograder" not in ran.error.traceback
    assert "before" in fresh.namespace
    assert "after" not in fresh.namespace
    assert fresh.run_cell("after = 2").error is None


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except Exception:\n        pass",
        "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except:\n        pass",
        "while True: print(1)",
        "!sleep 60",
        "import asyncio\nawait asyncio.sleep(60)",
        "import threading\nt = threading.Thread(target=threading.Event().wait, daemon=True); t.start(); t.join()",
        "import multiprocessing, time\nmultiprocessing.get_context('fork').Pool(1).map(time.sleep, [60])",
        "class Slow:\n    def __repr__(self):\n        while True: pass\nSlow()",
    ],
    ids=[
        *("busy", "except Exception", "bare except", "printing", "shell command"),
        *("await", "thread", "process pool", "representation"),
    ],
)
def test_an_endless_cell_is_stopped_and_its_names_survive(hurried: Kernel, body: str) -> None:
    hurried.run_cell("before = 1")
    ran = hurried.run_cell("during = 2\n" + body)
    assert ran.timed_out
    assert ran.error is not None
    assert ran.error.ename == "TimeoutError"
    assert hurried.namespace["during"] == 2
    assert hurried.run_cell("import asyncio\nawait asyncio.sleep(0, 5)").outputs[0]["data"] == {
        "text/plain": "5"
    }


@pytest.mark.parametrize("wait", ["time.sleep(1)", "1"], ids=["waiting", "busy"])
def test_what_was_swallowed_is_raised_again_before_the_loop_comes_round(wait: str) -> None:
    body = f"""
import time
swallowed = 0
while True:
    try:
        while True:
            try:
                while True:
                    try:
                        {wait}
                    except:
                        swallowed += 1
            except:
                swallowed += 1
    except:
        swallowed += 1
"""
    with kernel(Limits(cell_seconds=0.1)) as made:
        assert made.run_cell(body).timed_out
        # A few more than that once each, and twice within: a signal can be lost in the handler of another.
        assert made.namespace["swallowed"] <= 12


def test_a_cell_that_cannot_be_interrupted_is_out_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.kernel.jailed_kernel.GRACE_SECONDS", 0.3)
    with kernel(Limits(cell_seconds=0.3)) as made:
        with pytest.raises(OutOfTime):
            made.run_cell(
                "import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(60)"
            )
        with pytest.raises(OutOfTime):
            made.run_cell("1")


def test_what_is_slow_by_the_clock_alone_may_be_slow(hurried: Kernel) -> None:
    ran = hurried.run_cell("import time; time.sleep(0.8); done = True")
    assert not ran.timed_out
    assert hurried.namespace["done"]


@pytest.mark.parametrize(
    ("body", "by_clock"),
    [("while True: pass", False), ("import time; time.sleep(60)", True)],
    ids=["busy", "waiting"],
)
def test_whether_the_clock_or_the_processor_ended_it_is_known(body: str, by_clock: bool) -> None:
    with kernel(Limits(cell_seconds=0.3, call_seconds=0.3)) as made:
        assert made.run_cell(body).timed_out
        assert made.out_of_time is by_clock
    with kernel(Limits(cell_seconds=10, call_seconds=0.3)) as made:
        made.run_cell(f"def f():\n    {body}")
        with pytest.raises(TimeoutError):
            made.namespace["f"]()
        assert made.out_of_time is by_clock


def test_a_call_that_takes_too_long_is_a_timeout_and_the_kernel_lives(hurried: Kernel) -> None:
    hurried.run_cell("def forever():\n    while True: pass\ndef one(): return 1")
    with pytest.raises(TimeoutError, match=r"longer than 0.5 seconds"):
        hurried.namespace["forever"]()
    assert hurried.namespace["one"]() == 1


def test_time_spent_outside_does_not_count_as_the_students() -> None:
    call_seconds = 0.25

    def slow() -> int:
        time.sleep(CLOCK_FACTOR * call_seconds + 0.2)
        return 1

    with kernel(Limits(call_seconds=call_seconds)) as made:
        made.run_cell(
            "def ask(f): return f() + 1\ndef ask_and_stay(f):\n    f()\n    while True: pass"
        )
        assert made.namespace["ask"](slow) == 2
        with pytest.raises(TimeoutError):
            made.namespace["ask_and_stay"](slow)
        assert made.namespace["ask"](lambda: 1) == 2


def test_all_together_has_a_limit_too() -> None:
    with kernel(Limits(seconds=0.5)) as made:
        made.run_cell("1")
        time.sleep(0.5 * CLOCK_FACTOR + 0.1)
        with pytest.raises(OutOfTime, match="as a whole"):
            made.run_cell("1")


@pytest.mark.parametrize(
    "body", ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"], ids=["exit", "kill"]
)
def test_a_process_that_vanishes_is_a_dead_kernel(fresh: Kernel, body: str) -> None:
    with pytest.raises(KernelDied):
        fresh.run_cell(body)
    with pytest.raises(KernelDied):
        fresh.run_cell("1")


def test_an_exception_in_the_place_of_a_cells_outputs_is_a_wire_error() -> None:
    with kernel() as made:
        made.run_cell(
            "import autograder.kernel.worker as worker\n"
            "class Told(Exception): pass\n"
            "def run(self, source, seconds): raise Told('4711')\n"
            "run_cell, worker.Worker._run_cell = worker.Worker._run_cell, run"
        )
        with pytest.raises(WireError) as caught:
            made.run_cell("1")
        assert "4711" not in str(caught.value)
        with pytest.raises(WireError):
            made.run_cell("1")


FIND_SOCKET = """
import os
fd = int(os.environ["SOCKET_OF_THE_WORKER"])
"""


@pytest.mark.parametrize(
    "attack",
    [
        "os.write(fd, b'x' * 1000)",
        "os.write(fd, b'nbv2' + b'\\xff' * 16)",
        "os.write(fd, b'nbv2' + (16 << 20).to_bytes(8, 'big') + (0).to_bytes(8, 'big')); os._exit(0)",
        "os.close(fd)",
        "import msgpack; msgpack.packb = lambda *a, **k: b'\\xc1' * 40",
        "import sys\nfor name in list(sys.modules): del sys.modules[name]",
        "import autograder.kernel.exchange as e; e.Encoder.pack = lambda self, v: (b'', [])",
        "import autograder.kernel.exchange as e; e.Encoder.pack = lambda self, v: (b'\\x93\\x01\\x01\\x01', [])",
    ],
    ids=["garbage", "huge length", "torn", "closed", "msgpack", "modules", "empty", "short"],
)
def test_whatever_is_done_to_the_protocol_there_is_an_answer_or_a_kernel_error(
    monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    monkeypatch.setattr("autograder.kernel.jailed_kernel.GRACE_SECONDS", 1.0)
    with kernel(Limits(cell_seconds=0.5, call_seconds=0.5)) as made:
        assert made.run_cell(FIND_SOCKET).error is None
        try:
            made.run_cell(attack)
            assert isinstance(made.run_cell("1 + 1"), CellRun)
        except KernelError as error:
            assert isinstance(error, KernelDied | OutOfTime | WireError)


@pytest.mark.parametrize(
    "answer",
    [
        "while True: os.write(fd, b'nbv2'[:1]); time.sleep(0.02)",
        "os.write(fd, b'nbv2' + (0).to_bytes(8, 'big') + (256 << 20).to_bytes(8, 'big')); time.sleep(60)",
        "os.write(fd, b'nbv2' + (0).to_bytes(8, 'big') + (256 << 20).to_bytes(8, 'big'))\n"
        "while True: os.write(fd, b'x'); time.sleep(0.02)",
        "import signal; os.kill(os.getpid(), signal.SIGSTOP)",
    ],
    ids=["head in drops", "nothing after the head", "body in drops", "stopped"],
)
def test_an_answer_that_does_not_come_to_an_end_is_a_kernel_error(
    monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("autograder.kernel.jailed_kernel.GRACE_SECONDS", 0.2)
    with kernel(Limits(cell_seconds=0.2)) as made:
        assert made.run_cell(FIND_SOCKET + "import signal, time").error is None
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises((OutOfTime, WireError)):
            made.run_cell("signal.signal(signal.SIGALRM, signal.SIG_IGN)\n" + answer)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 << 10


def test_a_question_nobody_reads_is_out_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.kernel.jailed_kernel.GRACE_SECONDS", 0.2)
    with kernel(Limits(call_seconds=0.3)) as made:
        made.run_cell("import os\npid = os.getpid()\ndef f(x): pass")
        f = made.namespace["f"]
        os.kill(made.namespace["pid"], signal.SIGSTOP)
        with pytest.raises(OutOfTime):
            f(np.zeros(10_000_000))


def test_the_watcher_ends_a_kernel_in_the_middle_of_a_cell() -> None:
    asked = []

    def watch() -> str | None:
        asked.append(1)
        return "it used more than 1024 MB of memory" if len(asked) > 2 else None

    with kernel(watch=watch) as made, pytest.raises(KernelDied, match="1024 MB"):
        made.run_cell("import time; time.sleep(60)")


def test_an_answer_sent_before_the_question_is_not_believed(fresh: Kernel) -> None:
    ran = fresh.run_cell(
        FIND_SOCKET
        + """
from autograder.kernel.channel import Channel
from autograder.kernel.encoder import Encoder
def f():
    skeleton, bulk = Encoder(None).pack([1, 999, None, [], None, 42])
    import struct
    os.write(fd, struct.pack('>4sQQ', b'nbv2', len(skeleton), 0) + skeleton)
"""
    )
    assert ran.error is None
    with pytest.raises(WireError, match="not asked"):
        fresh.namespace["f"]()
