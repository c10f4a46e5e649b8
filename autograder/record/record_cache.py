"""Students' records kept in memory as long as their files stay as they are: a command reads each of
them once.
"""

from __future__ import annotations

from autograder.record.ledger import Ledger, StudentRecord

Stamp = tuple[int, int, int]  # inode, size and time of change of a file


class RecordCache:
    """Reads a ledger's records, each again only after its file has changed."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._kept: dict[str, tuple[Stamp | None, StudentRecord]] = {}

    def read(self, student: str) -> StudentRecord:
        """Return a student's record, the same object as long as nothing was written.

        Raises
        ------
        DiskFailed
            If the file cannot be read at all.
        """
        # Before the reading: a line that comes meanwhile makes it be read once more, and none is
        # missed.
        stamp = self._stamp(student)
        if student in self._kept and self._kept[student][0] == stamp:
            return self._kept[student][1]
        record = self.ledger.read(student)
        self._kept[student] = (stamp, record)
        return record

    def _stamp(self, student: str) -> Stamp | None:
        try:
            found = self.ledger.path_of(student).stat()
        except OSError:  # there is none, or who reads it will say what is wrong
            return None
        # The inode, too: a repair puts another file in its place, of the same size perhaps.
        return (found.st_ino, found.st_size, found.st_mtime_ns)
