"""What there is to attack: files, services, an environment, another notebook; and the traces of an attack."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.kernel.jailed_kernel import Kernel

REPOSITORY = Path(__file__).parents[2]
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/")


@dataclass
class World:
    """The surroundings of a jail.

    Attributes
    ----------
    directory : Path
        Outside the jail, open to everybody.
    marker : str
        A text that no student may see; backwards it is not in the facts either.
    sibling : str
        The path of another notebook's file, as that notebook sees it.
    """

    directory: Path
    marker: str = field(default_factory=lambda: secrets.token_hex(8))
    success: str = field(default_factory=lambda: f"succeeded-{secrets.token_hex(8)}")
    trace: str = field(default_factory=lambda: f"trace{secrets.randbits(60)}")
    sibling: str = ""
    port: int = 0
    kept: list[str] = field(default_factory=list)
    heard: int = 0

    def __post_init__(self) -> None:
        self.kept.append(self.hidden_marker)
        self.directory.chmod(0o777)
        (self.directory / "secret").write_text(self.marker)
        (self.directory / "secret").chmod(0o644)

    @property
    def hidden_marker(self) -> str:
        """The marker of hidden tests, which is not among the facts."""
        return self.marker[::-1]

    @property
    def trace_seconds(self) -> str:
        """How long a process that wants to stay sleeps; nobody else does."""
        return f"6{self.trace.removeprefix('trace')[:8]}"

    def facts(self) -> dict[str, object]:
        """Return what the attacker knows; the files to be attacked are made anew."""
        writable = self.directory / "writable"
        writable.write_text("of the grader")
        writable.chmod(0o666)
        return {
            "marker": self.marker,
            "success": self.success,
            "trace": self.trace,
            "trace_seconds": self.trace_seconds,
            "secret": str(self.directory / "secret"),
            "writable": str(writable),
            "repository": str(REPOSITORY),
            "grader": os.getpid(),
            "environment": hashlib.sha256(Path("/proc/self/environ").read_bytes()).hexdigest(),
            "command": Path("/proc/self/cmdline").read_text(),
            "sibling": self.sibling,
            "port": self.port,
            "local": str(self.directory / "local"),
            "abstract": self.trace,
        }

    def traces(self) -> list[Path | int]:
        """Return the files and processes that an attack has left behind, and remove them."""
        found: list[Path | int] = []
        for place in {*PLACES, str(Path.home()), str(self.directory)}:
            with contextlib.suppress(OSError):
                for path in Path(place).glob(f"{self.trace}*"):
                    path.unlink()
                    found.append(path)
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"sleep\0{self.trace_seconds}\0" in (process / "cmdline").read_text():
                    found.append(int(process.name))
                    os.kill(int(process.name), signal.SIGKILL)
        return found


@contextlib.contextmanager
def services(world: World) -> Iterator[None]:
    """Listen on a TCP port, a local socket and an abstract one, tell everybody a secret, and count signals."""
    local, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    local.bind(str(world.directory / "local"))
    (world.directory / "local").chmod(0o777)
    abstract.bind("\0" + world.trace)
    tcp = socket.create_server(("127.0.0.1", 0))
    world.port = tcp.getsockname()[1]
    before = signal.signal(signal.SIGURG, lambda number, frame: _hear(world))
    with tcp, local, abstract:
        for server in (tcp, local, abstract):
            server.listen()
            threading.Thread(target=_serve, args=(server,), daemon=True).start()
        yield
        for server in (tcp, local, abstract):
            server.shutdown(socket.SHUT_RDWR)  # ends the accept of its thread
    signal.signal(signal.SIGURG, before)


def _hear(world: World) -> None:
    world.heard += 1


def _serve(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nsecret")
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(1)
                connection.recv(1 << 16)  # closing with something unread would take the answer back


def write_diary(world: World, kernel: Kernel) -> None:
    """Let another notebook write down the marker."""
    kernel.run_cell(
        f"import os\nopen('diary.txt', 'w').write({world.marker!r})\npath = os.path.abspath('diary.txt')"
    )
    world.sibling = kernel.namespace["path"]
