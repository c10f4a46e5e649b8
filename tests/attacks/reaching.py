"""Attacks that are after somebody to talk to: the network, other processes, the kernel's side doors."""

from attacks.attack import Attack

NETWORK = (
    Attack("TCP", 'return socket.create_connection(("127.0.0.1", world["port"]), 2)'),
    Attack(
        "TCP over IPv6",
        """
        with socket.socket(socket.AF_INET6) as connection:
            return connection.fileno()
    """,
    ),
    Attack(
        "UDP",
        'return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", world["port"]))',
    ),
    Attack(
        "waiting for others to connect",
        """
        with socket.create_server(("127.0.0.1", 0)) as server:
            return server.getsockname()
    """,
    ),
    Attack(
        "HTTP",
        """
        import urllib.request
        return urllib.request.urlopen(f"http://127.0.0.1:{world['port']}/", timeout=2).read()
    """,
    ),
    Attack(
        "TCP from a shell",
        """
        return not subprocess.call(["bash", "-c", f"echo > /dev/tcp/127.0.0.1/{world['port']}"])
    """,
    ),
    Attack("raw packets", "return socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", False),
    Attack("whole frames", "return socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", False),
    Attack("netlink", "return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"),
    Attack("the hypervisor", "return socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)", False),
    Attack(
        "the kernel's ciphers", "return socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)", False
    ),
    Attack(
        "a local socket such as docker.sock",
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(world["local"])
            return connection.recv(100)
    """,
    ),
    Attack(
        "an abstract local socket",
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(chr(0) + world["abstract"])
            return connection.recv(100)
    """,
    ),
    Attack(
        "a socket through the x32 door", "return call((0x40000000 | 41, 198), 2, 1, 0) >= 0", False
    ),
    Attack(
        "a socket through the 32-bit door",
        """
        if machine != "x86_64":
            return False
        code = bytes.fromhex("53 b8 67 01 00 00 bb 02 00 00 00 b9 01 00 00 00 31 d2 cd 80 5b c3")  # socket(2, 1, 0)
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        return function() >= 0
    """,
        False,
    ),
    Attack("a socket through io_uring", "return call(425, 8, (ctypes.c_char * 120)()) >= 0", False),
    Attack(
        "a pair of sockets of another family", "return socket.socketpair(socket.AF_INET)", False
    ),
)

PROCESSES = (
    Attack("signals to the grader", 'os.kill(world["grader"], signal.SIGURG)', signals=True),
    Attack("signals to everybody", "os.kill(-1, signal.SIGURG)", signals=True),
    Attack(
        "signals to any process by its number",
        """
        mine = os.getpid(), os.getppid()
        for process in set(range(max(2, world["grader"] - 200), world["grader"] + 20_000)).difference(mine):
            with contextlib.suppress(OSError):
                os.kill(process, 0)
                return True
    """,
    ),
    Attack(
        "killing the parent",
        """
        parent = os.getppid()
        os.kill(parent, signal.SIGKILL)
        time.sleep(0.3)
        return os.getppid() != parent
    """,
        False,
    ),
    Attack(
        "stopping the parent",
        """
        os.kill(os.getppid(), signal.SIGSTOP)
        return open(f"/proc/{os.getppid()}/stat").read().split(")")[1].split()[0] == "T"
    """,
        False,
    ),
    Attack(
        "queued signals",
        """
        information = ctypes.create_string_buffer(struct.pack("iii", signal.SIGURG, 0, -1), 128)
        call((129, 138), world["grader"], signal.SIGURG, information)
    """,
        signals=True,
    ),
    Attack(
        "signals by pidfd",
        """
        signal.pidfd_send_signal(os.pidfd_open(world["grader"]), signal.SIGURG)
    """,
        signals=True,
    ),
    Attack(
        "signals through a pipe",
        """
        import fcntl
        ends = os.pipe()
        fcntl.fcntl(ends[0], fcntl.F_SETOWN, world["grader"])
        fcntl.fcntl(ends[0], 10, signal.SIGURG)  # F_SETSIG
        fcntl.fcntl(ends[0], fcntl.F_SETFL, os.O_ASYNC)
        os.write(ends[1], b"x")
    """,
        signals=True,
    ),
    Attack("tracing the parent", "return checked(libc.ptrace(16, os.getppid(), 0, 0)) == 0", False),
    Attack(
        "tracing a child",
        """
        return in_child(lambda: checked(libc.ptrace(0, 0, 0, 0)) == 0)
    """,
    ),
    Attack(
        "writing to the parent's memory", 'return open(f"/proc/{os.getppid()}/mem", "r+b")', False
    ),
    Attack(
        "limits of the grader",
        """
        import resource
        now = resource.prlimit(world["grader"], resource.RLIMIT_CORE)
        return now is not None
    """,
    ),
    Attack(
        "processors of the grader",
        """
        os.sched_setaffinity(world["grader"], os.sched_getaffinity(world["grader"]))
        return True
    """,
    ),
    Attack(
        "priority of all its user's processes",
        """
        os.setpriority(os.PRIO_USER, 0, 0)
        return True
    """,
        False,  # without a jail it depends on what else the user runs, and changes it
    ),
    Attack(
        "shared memory that stays",
        """
        identifier = call((29, 194), 0, ctypes.c_size_t(4096), 0o600)
        call((31, 195), identifier, 0, 0)
        return True
    """,
    ),
    Attack(
        "a semaphore that stays",
        """
        identifier = call((64, 190), 0, 1, 0o600)
        call((66, 191), identifier, 0, 0)
        return True
    """,
    ),
    Attack(
        "a queue that stays",
        """
        identifier = call((68, 186), 0, 0o600)
        call((71, 187), identifier, 0, 0)
        return True
    """,
    ),
    Attack(
        "a named queue",
        """
        name = world["trace"].encode()
        queue = call((240, 180), name, os.O_CREAT | os.O_RDWR, 0o600, None)
        call((241, 181), name)
        return True
    """,
        False,
    ),
)
ATTACKS = NETWORK + PROCESSES
