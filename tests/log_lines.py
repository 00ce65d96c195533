"""Where the servers in this process log while tests run: the terminal, which pytest keeps with the test."""

import os

import structlog


class _Terminal:
    """Writes to the descriptor. pytest swaps `sys.stdout` between tests, and closes the one before.

    A server that answered the last call of a test may be logging it just then, in a thread of its own: the
    interpreter crashes.
    """

    def msg(self, line: str) -> None:
        os.write(1, f"{line}\n".encode(errors="backslashreplace"))

    debug = info = warning = error = critical = msg


def as_in_tests() -> None:
    structlog.reset_defaults()
    structlog.configure(logger_factory=lambda *_name: _Terminal())
