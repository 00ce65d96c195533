"""A line between the browsers and the server on which answers get lost, or nothing passes at all."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

KEPT_HERE = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "date", "server"}


@dataclass
class BadLine:
    """What becomes of messages on their way; everything else passes unharmed."""

    upstream: str
    url: str = ""
    loses: int = 0
    """How many answers to messages are yet to be lost: the server has stored what it answered to."""
    is_deaf: bool = False
    """No message reaches the server."""
    passed: list[str] = field(default_factory=list)
    """The messages that reached it, in as many attempts as it took."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def asked_upstream(self, method: str, path: str, headers: dict[str, str], body: bytes) -> "Answer":
        line = http.client.HTTPConnection(urlsplit(self.upstream).netloc, timeout=20)
        try:
            line.request(method, path, body or None, headers)
            answer = line.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            line.close()

    def loses_this_answer(self, body: bytes) -> bool:
        with self._turn:
            self.passed.append(body.decode())
            self.loses -= 1
            return self.loses >= 0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


@contextmanager
def bad_line(upstream: str) -> Iterator[BadLine]:
    line = BadLine(upstream)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(line))
    server.daemon_threads = True
    line.url = f"http://localhost:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield line
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(line: BadLine) -> type[BaseHTTPRequestHandler]:
    class Passing(BaseHTTPRequestHandler):
        # A connection for each request: on one that it used before, Chromium itself asks again after silence.
        protocol_version = "HTTP/1.0"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            is_message = self.command == "POST" and self.path.endswith("/messages")
            if is_message and line.is_deaf:
                self._answer(Answer(503, [("Content-Type", "text/plain")], b"no line"))
                return
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            answer = line.asked_upstream(self.command, self.path, headers, body)
            if is_message and line.loses_this_answer(body):
                self.close_connection = True
                return
            self._answer(answer)

        def _answer(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                if name.lower() not in KEPT_HERE:
                    self.send_header(name, value)
            if answer.status not in (204, 304):
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PATCH = do_DELETE = do_HEAD = _pass_on

        def log_message(self, format: str, *args: object) -> None:
            """The server behind it keeps the log."""

    return Passing
