"""A demo company of its own to measure and to take pictures of, gone afterwards."""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from jobthread.bench import free_port


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """The address of a running demo, and a customer's link to its job 1."""
    port = free_port()
    home = f"http://localhost:{port}"
    with tempfile.TemporaryDirectory(prefix="jobthread-demo-") as folder:
        environ = os.environ | {
            "JOBTHREAD_DATA_DIR": folder,
            "JOBTHREAD_PORT": str(port),
            "JOBTHREAD_BASE_URL": home,
            "JOBTHREAD_LOG_LEVEL": "warning",
            "JOBTHREAD_RATE_LIMITS": "off",
        }
        command = [sys.executable, "-m", "jobthread.cli", "serve", "--demo"]
        with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as server:
            try:
                yield home, _link_in(server)
            finally:
                server.terminate()


def _link_in(server: "subprocess.Popen[str]") -> str:
    for line in server.stdout or ():
        if found := re.search(r"http\S+/customer/chat\?\S+", line):
            return found[0]
    raise SystemExit("The demo printed no link")
