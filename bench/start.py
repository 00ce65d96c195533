"""How long from starting the process until it is ready, and how much memory it keeps when idle."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from jobthread.bench import free_port, resident_mb

RUNS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="jobthread-start-") as folder:
        first = start(folder)
        again = sorted((start(folder) for _ in range(asked.runs)), key=lambda figures: figures[0])
    print(f"first start, schema made:   ready in {first[0]:.2f} s, {first[1]:.0f} MB resident when idle")
    seconds, megabytes = again[len(again) // 2]
    print(
        f"{asked.runs} starts after it:         ready in {seconds:.2f} s (median; "
        f"{again[0][0]:.2f} to {again[-1][0]:.2f}), {megabytes:.0f} MB resident when idle"
    )


def start(folder: str) -> tuple[float, float]:
    port = free_port()
    environ = os.environ | {
        "JOBTHREAD_DATA_DIR": folder,
        "JOBTHREAD_PORT": str(port),
        "JOBTHREAD_LOG_LEVEL": "warning",
    }
    started = time.perf_counter()
    command = [sys.executable, "-m", "jobthread.cli", "serve"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as server:
        try:
            while not ready(port):
                time.sleep(0.005)
            seconds = time.perf_counter() - started
            time.sleep(2)  # until what starting needed was let go
            return seconds, resident_mb(server.pid)
        finally:
            server.terminate()


def ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


if __name__ == "__main__":
    assert Path("/proc/self/statm").exists(), "memory is read from /proc"
    main()
