"""nbgrader's own formgrader, started in a course and asked what its pages ask."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
from nbgrader_course import ENVIRONMENT

API = "/formgrader/api"


class Formgrader:
    """A running formgrader."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def __call__(self, method: str, path: str, body: dict[str, Any] | None = None) -> str:
        """Ask something, and return the text of the answer."""
        answer = self.client.request(method, path, json=body)
        assert answer.status_code == 200, (path, answer.text[-2000:])
        return answer.text

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask its API something, and return what it says."""
        return json.loads(self(method, f"{API}/{path}", body))


@contextmanager
def formgrader(root: Path) -> Iterator[Formgrader]:
    """nbgrader's web server in a course, which ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    extensions = "{'nbgrader.server_extensions.formgrader': True}"
    options = (
        f"--port={port}", "--port-retries=0", "--no-browser", "--allow-root", "--IdentityProvider.token=secret",
        f"--ServerApp.jpserver_extensions={extensions}",
    )  # fmt: skip
    command = [sys.executable, "-m", "jupyter", "server", *options]
    with (root / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=root, stdout=log, stderr=log, env=ENVIRONMENT)
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": "token secret"},
        timeout=300,
        follow_redirects=True,
    )
    grader = Formgrader(client)
    try:
        with client:
            for _ in range(1200):
                with suppress(httpx.TransportError):
                    grader.ask("GET", "status")
                    break
                assert server.poll() is None, (root / "server.log").read_text()[-2000:]
                time.sleep(0.1)
            yield grader
    finally:
        server.terminate()
        server.wait()
