"""The way in: a `Jail` on this machine, and from it one `Jailed` per submission."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType

from autograder.course.limits import Limits
from autograder.jail import rungs
from autograder.jail.keeper import Jailed, JoinedKeeper, Keeper, ZygoteDied

# Bytes: a dozen numbers with their names.
LARGEST_WAY = 1 << 16


class Jail:
    """A machine's way to run students' code, with a warm process that forks one jailed process per
    submission.

    Parameters
    ----------
    limits : Limits | None
        What a submission may use, unless `spawn` says otherwise.
    rung : int | None
        1, 2 or 3 to insist on one; the strongest that works otherwise.
    keeper : Keeper | None
        A running warm process to use, instead of starting one.
    modules : Sequence[str] | None
        What the notebooks to come import beside numpy; whatever is usual where it is not known. The
        fewer, the sooner the warm process is ready.
    single : bool
        Whether one submission is all that is to come: then the warm process is ready sooner, and
        each submission takes longer.
    meanwhile : Iterator
        What to do while the warm process imports them, in steps; what is left when it is ready is
        the caller's to finish.

    Attributes
    ----------
    rung : int
        The rung in use.

    Raises
    ------
    NoJail
        If no rung, or not the given one, works here.

    Examples
    --------
    >>> with Jail() as jail, jail.spawn() as jailed:  # doctest: +SKIP
    ...     kernel = Kernel(jailed.socket, jail.limits)
    """

    def __init__(
        self,
        limits: Limits | None = None,
        rung: int | None = None,
        *,
        keeper: Keeper | None = None,
        modules: Sequence[str] | None = None,
        single: bool = False,
        meanwhile: Iterable[object] = (),
    ) -> None:
        """Start the warm process, on the strongest rung that works."""
        self.limits = limits or Limits()
        self._one_at_a_time = threading.Lock()
        self._keeper = keeper or rungs.start_strongest(
            rung, modules, single=single, meanwhile=meanwhile
        )
        self.rung = self._keeper.rung

    def spawn(
        self, files: Mapping[str, bytes] | None = None, limits: Limits | None = None
    ) -> Jailed:
        """Make a jail for one submission.

        Parameters
        ----------
        files : Mapping[str, bytes] | None
            Relative path and content of files for the working directory of the notebook.
        limits : Limits | None
            What this submission may use, when it differs.

        Returns
        -------
        Jailed
            To be used in a `with` statement: leaving it kills everything in the jail.

        Raises
        ------
        JailFailed
            If it cannot be made, even after the warm process, had it died, was started again.
        """
        # Two threads that find the zygote dead would start two.
        with self._one_at_a_time:
            try:
                return self._keeper.spawn(files or {}, limits or self.limits)
            except ZygoteDied:
                self._keeper.close()
                self._keeper = Keeper(self.rung, modules=self._keeper.modules)
            # Once: a zygote that dies again and again has a cause that starting does not mend.
            return self._keeper.spawn(files or {}, limits or self.limits)

    def share_zygote(self) -> SharedJail:
        """Return what lets another process have jails from the same warm process, for as long as
        this jail is open.
        """
        return SharedJail(self.limits, self.rung, self._keeper.control)

    def close(self) -> None:
        """End the warm process and every jail made from it."""
        self._keeper.close()

    def __enter__(self) -> Jail:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the warm process."""
        self.close()


@dataclass(frozen=True)
class SharedJail:
    """The way of another process to the warm process of a `Jail`; made by `Jail.share_zygote`."""

    limits: Limits
    rung: int
    control: socket.socket

    def send(self, connection: socket.socket) -> None:
        """Tell a process at the other end of a socket, whose messages have ends, the way."""
        words = json.dumps({"rung": self.rung, "limits": asdict(self.limits)})
        socket.send_fds(connection, [words.encode()], [self.control.fileno()])

    @classmethod
    def receive(cls, connection: socket.socket) -> SharedJail | None:
        """Wait until the way is told; None if it never will be."""
        words, descriptors, _, _ = socket.recv_fds(connection, LARGEST_WAY, 1)
        if not words:
            return None
        told = json.loads(words)
        control = socket.socket(fileno=descriptors[0])
        control.set_inheritable(False)
        return cls(Limits(**told["limits"]), told["rung"], control)

    def join_zygote(self) -> Jail:
        """Return a jail of this process's own, whose submissions the shared warm process forks.

        Should that one die, the jail starts a warm process of its own.
        """
        return Jail(self.limits, keeper=JoinedKeeper(self.rung, self.control))
