"""Commands typed into a terminal, and what came of them."""

import subprocess

from tests.faults import process


def one_line(refused: "subprocess.CompletedProcess[str]") -> str:
    """What a refusal says, and that it says no more."""
    assert refused.returncode == 2, refused.stderr
    assert refused.stdout == ""
    [line] = refused.stderr.splitlines()
    assert line.startswith("jobthread: ")
    return line


def succeeds(*command: str, environ: dict[str, str], stdin: str = "") -> str:
    """What it prints."""
    ran = process.run(*command, environ=environ, stdin=stdin)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
