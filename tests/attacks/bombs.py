"""Attacks that are after more of the machine than their share, or want to stay when their time is over."""

from attacks.attack import Attack

MEMORY = (
    Attack("memory", "return len(bytearray(b'x') * (300 << 20))"),
    Attack("memory by numpy", "import numpy; return numpy.ones(300 << 17).sum()"),
    Attack(
        "memory of many processes",
        """
        return stay(6, lambda: globals().update(kept=bytearray(b"x") * (50 << 20)))
    """,
    ),
    Attack(
        "shared memory",
        """
        with mmap.mmap(-1, 300 << 20) as memory:
            for position in range(0, 300 << 20, 4096):
                memory[position] = 1
            return True
    """,
    ),
    Attack(
        "shared memory of many processes",
        """
        def fill():
            memory = mmap.mmap(-1, 50 << 20)
            for position in range(0, 50 << 20, 4096):
                memory[position] = 1
            globals().update(kept=memory)
        return stay(6, fill)
    """,
    ),
    Attack(
        "memory of other programs",
        """
        fill = [sys.executable, "-S", "-c", "kept = bytearray(b'x') * (50 << 20); print(1, flush=True); input()"]
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        programs = [subprocess.Popen(fill, **pipes) for _ in range(6)]
        full = [program.stdout.readline() for program in programs]
        outlast_the_watchdog()
        for program in programs:
            program.kill()
            program.communicate()
        return all(full)
    """,
    ),
    Attack(
        "locked memory",
        """
        memory = mmap.mmap(-1, 16 << 20)
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        checked(libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(16 << 20)))
        return True
    """,
        False,
    ),
    Attack(
        "files as memory",
        """
        for number in range(4):
            with open(f"/dev/shm/{world['trace']}{number}", "wb") as file:
                file.write(bytes(8 << 20))
        return outlast_the_watchdog()
    """,
        leaves=True,
    ),
)

PROCESSES = (
    Attack("many processes", "return stay(40)"),
    Attack(
        "many threads",
        """
        end = threading.Event()
        threads = [threading.Thread(target=end.wait) for _ in range(40)]
        try:
            for thread in threads:
                thread.start()
            return outlast_the_watchdog()
        finally:
            end.set()
    """,
    ),
    Attack(
        "many programs",
        """
        programs = []
        try:
            for _ in range(40):
                programs.append(subprocess.Popen(["sleep", "30"]))
            return outlast_the_watchdog()
        finally:
            for program in programs:
                program.kill()
                program.wait()
    """,
    ),
    Attack(
        "a fork bomb",
        """
        deadline = time.monotonic() + 0.25
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                os.fork()
    """,
        False,
        leaves=True,
    ).within(seconds=3),
    Attack(
        "many open files",
        """
        opened = [os.open("/dev/null", os.O_RDONLY) for _ in range(400)]
        for descriptor in opened:
            os.close(descriptor)
        return True
    """,
    ),
)

DISK = (
    Attack(
        "a large file",
        """
        with open("large", "wb") as file:
            for _ in range(40):
                file.write(bytes(1 << 20))
        return outlast_the_watchdog() and os.stat("large").st_size == 40 << 20
    """,
    ),
    Attack(
        "many large files",
        """
        for number in range(6):
            with open(f"large{number}", "wb") as file:
                file.write(bytes(7 << 20))
        return outlast_the_watchdog()
    """,
    ),
    Attack(
        "deleted files",
        """
        kept = []
        for number in range(6):
            kept.append(open(f"large{number}", "wb", buffering=0))
            kept[-1].write(bytes(7 << 20))
            os.unlink(f"large{number}")
        return outlast_the_watchdog()
    """,
    ),
    Attack(
        "many files",
        """
        for number in range(600):
            open(f"empty{number}", "w").close()
        return outlast_the_watchdog()
    """,
    ),
    Attack(
        "many directories in one another",
        """
        for _ in range(600):
            os.mkdir("d")
            os.chdir("d")
        return outlast_the_watchdog()
    """,
    ),
    Attack(
        "a directory that cannot be removed",
        """
        os.mkdir("closed")
        open("closed/" + world["trace"], "w").close()
        os.chmod("closed", 0)
        raise OSError("what counts is what is left")
    """,
        False,
        leaves=True,
    ),
    Attack(
        "many symbolic links",
        """
        for number in range(600):
            os.symlink("nowhere", f"link{number}")
        return outlast_the_watchdog()
    """,
    ),
)

STAYING = (
    Attack(
        "a daemon",
        """
        if os.fork():
            return time.sleep(0.2)
        os.setsid()
        if os.fork():
            os._exit(0)
        os.execvp("sleep", ["sleep", world["trace_seconds"]])
    """,
        leaves=True,
    ),
    Attack(
        "a daemon that ignores signals",
        """
        if os.fork():
            return time.sleep(0.2)
        os.setsid()
        for number in range(1, 65):
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)
        checked(libc.prctl(1, 0, 0, 0, 0))
        checked(libc.prctl(36, 1, 0, 0, 0))
        if os.fork():
            os._exit(0)
        os.execvp("sleep", ["sleep", world["trace_seconds"]])
    """,
        leaves=True,
    ),
    Attack(
        "a daemon by the shell",
        """
        subprocess.run(f"nohup setsid sleep {world['trace_seconds']} >/dev/null 2>&1 &", shell=True)
        time.sleep(0.2)
    """,
        leaves=True,
    ),
    Attack(
        "a child of its parent",
        """
        process = call((56, 220), ctypes.c_ulong(0x8000 | signal.SIGCHLD), 0, 0, 0, 0)
        if not process:
            os.execvp("sleep", ["sleep", world["trace_seconds"]])
        time.sleep(0.2)
    """,
        False,
        leaves=True,
    ),
    Attack(
        "a daemon when the notebook has died",
        """
        if not os.fork():
            os.setsid()
            os.execvp("sleep", ["sleep", world["trace_seconds"]])
        time.sleep(0.2)
        os._exit(0)
    """,
        leaves=True,
    ),
    Attack(
        "a stopped process",
        """
        process = os.fork()
        if not process:
            os.setsid()
            os.execvp("sleep", ["sleep", world["trace_seconds"]])
        time.sleep(0.1)
        os.kill(process, signal.SIGSTOP)
    """,
        leaves=True,
    ),
    Attack(
        "a file for the next notebook",
        """
        for place in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/", os.path.expanduser("~"), "/jail", ".."):
            with contextlib.suppress(OSError):
                open(os.path.join(place, world["trace"]), "w").close()
    """,
        leaves=True,
    ),
    Attack(
        "a cell that cannot be interrupted",
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        signal.setitimer(signal.ITIMER_REAL, 0)
        end = time.process_time() + 6
        while time.process_time() < end:
            with contextlib.suppress(BaseException):
                while time.process_time() < end:
                    pass
        return True
    """,
        False,
    ).within(cell_seconds=0.2, seconds=0.4),
    Attack("a cell that sleeps for ever", "time.sleep(6); return True", False).within(
        cell_seconds=10, seconds=1
    ),
)
ATTACKS = MEMORY + PROCESSES + DISK + STAYING
