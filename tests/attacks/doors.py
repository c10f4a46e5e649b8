"""Attacks that are after more rights: identities, namespaces, mounts, and parts of the kernel no notebook needs."""

from attacks.attack import Attack

NAMESPACES = (
    Attack(
        "a user namespace", "return in_child(lambda: checked(libc.unshare(0x10000000)) == 0)", False
    ),
    Attack(
        "a network namespace",
        "return in_child(lambda: checked(libc.unshare(0x40000000)) == 0)",
        False,
    ),
    Attack(
        "a mount namespace", "return in_child(lambda: checked(libc.unshare(0x20000)) == 0)", False
    ),
    Attack(
        "a namespace by clone",
        """
        process = call((56, 220), ctypes.c_ulong(0x10000000 | signal.SIGCHLD), 0, 0, 0, 0)
        if not process:
            os._exit(0)
        os.waitpid(process, 0)
        return True
    """,
        False,
    ),
    Attack(
        "a namespace by clone3",
        """
        arguments = struct.pack("8Q", 0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
        process = call(435, arguments, ctypes.c_size_t(len(arguments)))
        if not process:
            os._exit(0)
        os.waitpid(process, 0)
        return True
    """,
        False,
    ),
    Attack(
        "the first process's namespaces",
        """
        return any(libc.setns(os.open(f"/proc/1/ns/{kind}", os.O_RDONLY), 0) == 0 for kind in ("mnt", "net", "pid"))
    """,
        False,
    ),
    Attack(
        "its own namespaces again",
        """
        return libc.setns(os.open("/proc/self/ns/mnt", os.O_RDONLY), 0) == 0
    """,
        False,
    ),
)

MOUNTS = (
    Attack("mounting", 'return checked(libc.mount(b"tmpfs", b"/", b"tmpfs", 0, None)) == 0', False),
    Attack(
        "writable again", 'return checked(libc.mount(b"", b"/", None, 32 | 4096, None)) == 0', False
    ),
    Attack("unmounting /proc", 'return checked(libc.umount2(b"/proc", 2)) == 0', False),
    Attack(
        "unmounting its scratch directory",
        'os.chdir("/"); return checked(libc.umount2(b"/jail", 2)) == 0',
        False,
    ),
    Attack("another root", 'return checked(libc.chroot(b".")) == 0', False),
    Attack("pivot_root", 'return call((155, 41), b".", b".") == 0', False),
    Attack("mounts by file descriptor", 'return call(430, b"tmpfs", 0) >= 0', False),
    Attack("copies of mounts", 'return call(428, -100, b"/", 1) >= 0', False),
    Attack(
        "files by handle",
        """
        handle, mount = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128)), ctypes.c_int()
        checked(libc.name_to_handle_at(-100, b"/", handle, ctypes.byref(mount), 0))
        return True
    """,
    ),
    Attack(
        "a device file",
        'os.mknod("disk", stat.S_IFBLK | 0o600, os.makedev(254, 0)); return True',
        False,
    ),
)

IDENTITY = (
    Attack("becoming root", "os.setuid(0); return True", False),
    Attack(
        "choosing its identity anew",
        "os.setresuid(os.getuid(), os.getuid(), os.getuid()); return True",
    ),
    Attack("its groups", "os.setgroups([0]); return True", False),
    Attack(
        "capabilities",
        """
        header, sets = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[0xFFFFFFFF, 0xFFFFFFFF, 0] * 2)
        return call((126, 91), header, sets) == 0
    """,
        False,
    ),
    Attack(
        "a set-uid program",
        """
        said = subprocess.run(["su", "-c", "id -u"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
        return said.strip() == "0"
    """,
        False,
    ),
    Attack(
        "a set-uid program of its own",
        """
        import shutil
        shutil.copy("/bin/sleep", "mine")
        os.chmod("mine", 0o4755)
        return os.stat("mine").st_mode & 0o4000 and os.stat("mine").st_uid == 0
    """,
        False,
    ),
    Attack("sudo", 'return not subprocess.call(["sudo", "-n", "true"])', False),
)

KERNEL = (
    Attack("a keyring", "return call((250, 219), 0, -3, 1) > 0"),
    Attack(
        "a key", 'return call((248, 217), b"user", b"name", b"value", ctypes.c_size_t(5), -3) > 0'
    ),
    Attack("a memfd", 'return os.memfd_create("hidden")'),
    Attack("secret memory", "return call(447, 0) >= 0", False),
    Attack(
        "asynchronous input",
        """
        context = ctypes.c_ulong(0)
        call((206, 0), 8, ctypes.byref(context))
        return True
    """,
    ),
    Attack("page faults in its own hands", "return call((323, 282), 1) >= 0", False),
    Attack("BPF", "return call((321, 280), 0, (ctypes.c_char * 128)(), 128) >= 0", False),
    Attack(
        "performance counters",
        """
        attributes = ctypes.create_string_buffer(struct.pack("IIQ", 1, 112, 0) + bytes(96))
        return call((298, 241), attributes, 0, -1, -1, 0) >= 0
    """,
        False,
    ),
    Attack("watching files of others", "return checked(libc.inotify_init1(0)) >= 0"),
    Attack("watching whole file systems", "return checked(libc.fanotify_init(0, 0)) >= 0", False),
    Attack(
        "no address randomisation",
        """
        return in_child(lambda: checked(libc.personality(0x40000)) >= 0)
    """,
    ),
    Attack(
        "the processor's tables",
        "return call((154, 9999), 0, (ctypes.c_char * 16)(), 16) >= 0",
        False,
    ),
    Attack(
        "input and output ports",
        "return libc.iopl(3) == 0 if hasattr(libc, 'iopl') else False",
        False,
    ),
    Attack("the clock", "time.clock_settime(time.CLOCK_REALTIME, time.time()); return True", False),
    Attack("the machine's name", "socket.sethostname(socket.gethostname()); return True", False),
    Attack("swap", 'return checked(libc.swapoff(b"nothing")) == 0', False),
    Attack(
        "how the kernel dumps cores", 'return open("/proc/sys/kernel/core_pattern", "a")', False
    ),
    Attack(
        "typing into the terminal",
        """
        import fcntl
        fcntl.ioctl(os.open("/dev/tty", os.O_RDWR), 0x5412, b"x")
        return True
    """,
        False,
    ),
    Attack(
        "comparing kernel objects",
        "return call((312, 272), os.getpid(), os.getppid(), 0, 0, 0) >= 0",
        False,
    ),
    Attack("writing everybody's files to disk", "return call((306, 267), 0) == 0"),
)

FILES = (
    Attack(
        "writing into site-packages",
        """
        import numpy
        pathlib.Path(numpy.__file__).with_name("written.py").write_text("import os")
        return True
    """,
        False,
    ),
    Attack(
        "writing into Python's library",
        """
        pathlib.Path(os.__file__).write_text(pathlib.Path(os.__file__).read_text())
        return True
    """,
        False,
    ),
    Attack("writing a file of the grader", 'open(world["writable"], "a").write("x"); return True'),
    Attack(
        "emptying a file of the grader",
        """
        os.truncate(world["writable"], 0)
        return os.stat(world["writable"]).st_size == 0
    """,
    ),
    Attack(
        "modes of the grader's files",
        """
        os.chmod(world["writable"], 0o604)
        return os.stat(world["writable"]).st_mode & 0o777 == 0o604
    """,
    ),
    Attack(
        "times of the grader's files",
        """
        os.utime(world["writable"], (1000, 1000))
        return os.stat(world["writable"]).st_mtime == 1000
    """,
    ),
    Attack(
        "renaming a file of the grader",
        'os.rename(world["writable"], world["writable"] + "2"); return True',
    ),
    Attack("deleting a file of the grader", 'os.unlink(world["writable"]); return True'),
    Attack("a file in the grader's directory", 'open(world["writable"] + "3", "w"); return True'),
    Attack(
        "modes of Python's own files",
        """
        file = os.open(os.__file__, os.O_RDONLY)
        before = os.fstat(file).st_mode
        with contextlib.suppress(OSError):
            os.fchmod(file, 0)
        return os.fstat(file).st_mode != before
    """,
        False,
    ),
)
ATTACKS = NAMESPACES + MOUNTS + IDENTITY + KERNEL + FILES
