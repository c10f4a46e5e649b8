"""Attacks that are after what others know: tests, secrets, other notebooks, other processes."""

from attacks.attack import Attack

ATTACKS = (
    Attack("hidden tests by their path", 'return world["marker"] in open(world["secret"]).read()'),
    Attack("hidden tests by a relative path", 'return open("../" * 20 + world["secret"]).read()'),
    Attack(
        "hidden tests through a symbolic link",
        'os.symlink(world["secret"], "a"); return open("a").read()',
    ),
    Attack(
        "hidden tests through a hard link",
        'os.link(world["secret"], "b"); return open("b").read()',
        False,
    ),
    Attack(
        "hidden tests through /proc/self/root",
        'return open("/proc/self/root" + world["secret"]).read()',
    ),
    Attack(
        "hidden tests through the grader's root",
        "return open(f\"/proc/{world['grader']}/root{world['secret']}\").read()",
    ),
    Attack(
        "hidden tests through the parent's directory",
        'return os.listdir(f"/proc/{os.getppid()}/cwd/")',
    ),
    Attack(
        "hidden tests by mapping the file",
        """
        with open(world["secret"]) as file:
            return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)[:]
    """,
    ),
    Attack(
        "hidden tests by %run, %load and a shell",
        """
        return world["marker"] in get_ipython().getoutput(f"cat {world['secret']}").n
    """,
    ),
    Attack(
        "looking for the hidden tests", 'return glob.glob(os.path.dirname(world["secret"]) + "/*")'
    ),
    Attack("the repository", 'return open(world["repository"] + "/pyproject.toml").read()'),
    Attack(
        "the repository's solutions by sys.path",
        """
        finder = sys.modules.get("__editable___autograder_1_0_0_finder")
        known = [*sys.path, *(getattr(finder, "MAPPING", {}) or {}).values()]
        return [path for path in known if path and os.path.exists(os.path.join(path, "../pyproject.toml"))
                and open(os.path.join(path, "../pyproject.toml")).read()]
    """,
        False,
    ),
    Attack(
        "the grader's environment",
        """
        import hashlib
        environment = open(f"/proc/{world['grader']}/environ", "rb").read()
        return hashlib.sha256(environment).hexdigest() == world["environment"]
    """,
    ),
    Attack("secrets in its own environment", 'return world["marker"] in str(os.environ)'),
    Attack(
        "secrets in its own first environment",
        """
        return world["marker"].encode() in open("/proc/self/environ", "rb").read()
    """,
        False,
    ),
    Attack(
        "secrets in its own memory",
        """
        import gc
        gc.unfreeze()  # what was frozen before the fork is looked at, too
        secret = world["marker"][::-1]  # so that it is not in this cell itself
        lists = [thing for thing in gc.get_objects() if type(thing) is list]
        return [1 for known in lists if secret in [part for part in known if type(part) is str]]
    """,
    ),
    Attack(
        "the grader's command line",
        'return open(f"/proc/{world[\'grader\']}/cmdline").read() == world["command"]',
    ),
    Attack("the parent's memory map", 'return open(f"/proc/{os.getppid()}/maps").read()'),
    Attack(
        "the parent's memory",
        """
        local, remote = (ctypes.c_char * 8)(), (ctypes.c_size_t * 2)(id(None), 8)
        here = (ctypes.c_size_t * 2)(ctypes.addressof(local), 8)
        return checked(libc.process_vm_readv(os.getppid(), here, 1, remote, 1, 0)) == 8
    """,
        False,
    ),
    Attack(
        "files that were left open",
        """
        kinds = []
        for descriptor in range(3, 300):
            with contextlib.suppress(OSError):
                kinds.append(stat.S_IFMT(os.fstat(descriptor).st_mode))
        return kinds.count(stat.S_IFSOCK) > 1 or stat.S_IFDIR in kinds or stat.S_IFIFO in kinds
    """,
        False,
    ),
    Attack(
        "a file of the parent through a pidfd",
        """
        other = os.pidfd_open(os.getppid())
        return any(call(438, other, number, 0) >= 0 for number in range(3))
    """,
        False,
    ),
    Attack("the passwords", 'return open("/etc/shadow").read()', False),
    Attack(
        "the machine's settings",
        'return os.listdir("/sys") or open("/proc/sys/kernel/core_pattern").read()',
    ),
    Attack(
        "all processes",
        'return [name for name in os.listdir("/proc") if name.isdigit() and name != str(os.getpid())]',
    ),
    Attack(
        "the kernel's log",
        """
        text = (ctypes.c_char * 100)()
        return checked(libc.klogctl(3, text, 100))
    """,
        False,
    ),
    Attack(
        "a disk",
        'return [open("/dev/" + name) for name in os.listdir("/dev") if name[:2] in ("sd", "vd", "nv")]',
        False,
    ),
    Attack("another notebook's files", 'return world["marker"] in open(world["sibling"]).read()'),
    Attack(
        "another notebook's files by looking around",
        """
        places = ["/jail/*/*", "/jail/*/*/*", "/tmp/*/*", "/tmp/*/*/*/*", "/proc/[0-9]*/cwd/*"]
        return [path for place in places for path in glob.glob(place)
                if "diary" in path and world["marker"] in open(path).read()]
    """,
    ),
)
