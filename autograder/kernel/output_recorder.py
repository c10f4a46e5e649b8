"""What cells print and display, kept as nbformat outputs and within limits."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

Output = dict[str, Any]

# Said where it happens: a silent end would look like the student's.
_CUT: Final = "\n[The rest of the output was cut off.]\n"
_TOO_RICH: Final = "[An output was left out: this cell displays too much.]"
# A loop of `display` makes outputs that hold next to nothing.
MAX_OUTPUTS: Final = 2_000


class OutputPage:
    """The outputs of one cell or one call."""

    def __init__(self, text_limit: int, rich_limit: int) -> None:
        self.outputs: list[Output] = []
        self.updates: list[list[Any]] = []
        self.ids: dict[int, str] = {}
        self._text_left = text_limit
        self._rich_left = rich_limit
        self._limits = text_limit, rich_limit
        self._streams: dict[int, list[str]] = {}
        self._clear_next = self._cut = False

    def write(self, name: str, text: str) -> None:
        """Add text to the standard stream of this name."""
        self._clear_if_due()
        if not text or self._cut:
            return
        if len(text) > self._text_left:
            text = text[: max(self._text_left, 0)] + _CUT
            self._cut = True
        self._text_left -= len(text)
        last = self.outputs[-1] if self.outputs else {}
        if last.get("output_type") != "stream" or last["name"] != name:
            if not self._room():
                return
            self.outputs.append({"output_type": "stream", "name": name, "text": ""})
        # Joined at the end: adding to one long text costs the square of its length.
        self._streams.setdefault(len(self.outputs) - 1, []).append(text)

    def add(self, output: Output, display_id: str | None = None) -> None:
        """Add a displayed object, a result or an error."""
        self._clear_if_due()
        if not self._room():
            return
        if output["output_type"] == "error":
            if self._text_left <= 0:
                return
            self._text_left -= sum(map(len, output["traceback"]))
        if "data" in output:
            output = output | {"data": self._within_limits(_clean(output["data"]))}
            output["metadata"] = _clean_json(output.get("metadata"))
        if display_id is not None:
            self.ids[len(self.outputs)] = display_id
        self.outputs.append(output)

    def update(self, display_id: str, data: Mapping[str, Any], metadata: object) -> None:
        """Change what was displayed under an id, in this cell or an earlier one."""
        fresh = {"data": self._within_limits(_clean(data)), "metadata": _clean_json(metadata)}
        for index, known in self.ids.items():
            if known == display_id:
                self.outputs[index].update(fresh)
        if len(self.updates) < MAX_OUTPUTS:
            self.updates.append([display_id, fresh["data"], fresh["metadata"]])

    def clear(self, wait: bool) -> None:
        """Forget everything shown so far, at once or when the next output comes."""
        if wait:
            self._clear_next = True
            return
        self.outputs = []
        self.ids = {}
        self._streams = {}
        self._text_left, self._rich_left = self._limits
        self._cut = False

    def finished(self) -> list[Output]:
        """Return the outputs with their texts joined."""
        for index, pieces in self._streams.items():
            self.outputs[index]["text"] = "".join(pieces)
        return self.outputs

    def _clear_if_due(self) -> None:
        if self._clear_next:
            self._clear_next = False
            self.clear(wait=False)

    def _room(self) -> bool:
        return len(self.outputs) < MAX_OUTPUTS

    def _within_limits(self, data: dict[str, Any]) -> dict[str, Any]:
        size = sum(
            len(value) if isinstance(value, str) else len(json.dumps(value))
            for value in data.values()
        )
        if size > self._rich_left:
            return {"text/plain": _TOO_RICH}
        self._rich_left -= size
        return data


class Recorder:
    """Where the shell writes: a page for the cell or call that is running.

    Attributes
    ----------
    page : Page
        The page that is being written.
    """

    def __init__(self, text_limit: int = 1 << 20, rich_limit: int = 8 << 20) -> None:
        self.limits = text_limit, rich_limit
        self.page = OutputPage(*self.limits)
        self._process = os.getpid()
        self._files: dict[str, int] = {}

    @contextlib.contextmanager
    def fresh_page(self) -> Iterator[OutputPage]:
        """Write on a page of its own while the context lasts."""
        before = self.turn_page()
        try:
            yield self.page
        finally:
            self.page = before

    def turn_page(self) -> OutputPage:
        """Write on a fresh page from now on; return the one that was written until now."""
        before = self.page
        self.page = OutputPage(*self.limits)
        return before

    def write(self, name: str, text: str) -> None:
        """Record text, or pass it to the parent's descriptor when this is a process the notebook
        forked.
        """
        # A forked process has a page that nobody reads; what it prints belongs to the parent's.
        if os.getpid() == self._process:
            # First: what a child process printed before stands before.
            self.drain()
            self.page.write(name, text)
        else:
            os.write(1 if name == "stdout" else 2, text.encode("utf-8", "replace"))

    def capture_descriptors(self) -> None:
        """Send standard output and error of this process and its children to files, and our streams
        to the page.
        """
        self._process = os.getpid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        # Reading from it ends at once instead of waiting for nobody.
        os.dup2(nothing, 0)
        os.close(nothing)
        for name, target in (("stdout", 1), ("stderr", 2)):
            # A file and not a pipe: a full pipe would stop whoever writes while nobody reads.
            with tempfile.TemporaryFile(buffering=0) as file:
                os.set_blocking(file.fileno(), True)
                self._files[name] = os.dup(file.fileno())
            os.dup2(self._files[name], target)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 (it lives as long as the process)
        sys.stdout, sys.stderr = Stream(self, "stdout"), Stream(self, "stderr")

    def drain(self) -> None:
        """Record what was written to the descriptors themselves, by child processes for
        instance.
        """
        for name, descriptor in self._files.items():
            # No context manager: this is on the way of every call.
            try:
                size = os.fstat(descriptor).st_size
                if size:
                    # One byte more than is kept, so that the cut is told.
                    written = os.pread(descriptor, self.limits[0] + 1, 0)
                    os.ftruncate(descriptor, 0)
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    self.page.write(name, written.decode("utf-8", "replace"))
            except OSError:
                # A notebook may have closed it.
                continue


class Stream(io.TextIOBase):
    """A standard stream that writes to the recorder."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, recorder: Recorder, name: str) -> None:
        self._recorder = recorder
        self.name = f"<{name}>"
        self._stream = name
        self.buffer = _Bytes(self)

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that child processes write to."""
        return 1 if self._stream == "stdout" else 2

    def write(self, text: str) -> int:
        """Record text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._recorder.write(self._stream, text)
        return len(text)


class _Bytes(io.RawIOBase):
    def __init__(self, stream: Stream) -> None:
        self._text = stream

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._text.write(bytes(data).decode("utf-8", "replace"))
        return len(data)


def _clean(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a MIME bundle as notebooks keep it: bytes in base64, everything else text or JSON."""
    clean: dict[str, Any] = {}
    for kind, value in data.items():
        if isinstance(value, bytes):
            clean[str(kind)] = base64.b64encode(value).decode()
        elif isinstance(value, str):
            clean[str(kind)] = str(value)
        else:
            clean[str(kind)] = _clean_json(value)
    return clean


def _clean_json(value: object) -> Any:
    try:
        # Through JSON and back: subclasses of dict and list may do anything when they are read.
        return json.loads(json.dumps(value or {}, default=str))
    except (ValueError, TypeError, RecursionError):
        return {}
