"""The text of a mail that came as HTML alone: its lines, with what is quoted marked so.

The standard library's scanner takes time with the square of some texts. Here each letter is looked at a few
times, whatever stands there.
"""

import html
import re
from dataclasses import dataclass, field

LONGEST = 1_000_000
RULE = "_" * 32
_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})(?![A-Za-z0-9])[^<>]*+>|<[!?/][^<>]*+>|[^<]++|<")
_UNSEEN = frozenset({"head", "script", "style", "title", "template", "noscript", "object", "svg"})
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "pre", "table"})
_BLOCKS = _SPACED | {"address", "article", "aside", "center", "dd", "div", "dl", "dt", "footer", "form"}
_BLOCKS |= {"fieldset", "header", "hr", "li", "main", "nav", "section", "tr"}
_DEEPEST = 5


def text_of(source: str) -> str:
    """What a reader would see, with `> ` before quoted lines. Of what is far too long the beginning."""
    page = _Page()
    for token in _TOKEN.finditer(_without_comments(source[:LONGEST])):
        if token[2]:
            page.tag(token[2].lower(), closing=bool(token[1]))
        elif not (token[0].startswith("<") and len(token[0]) > 1):
            page.words(html.unescape(token[0]))
    return page.text()


def _without_comments(source: str) -> str:
    kept, at = [], 0
    while (start := source.find("<!--", at)) >= 0:
        kept.append(source[at:start])
        end = source.find("-->", start + 4)
        if end < 0:
            return "".join(kept)
        at = end + 3
    return "".join([*kept, source[at:]])


@dataclass
class _Page:
    """The lines so far. Inside of what is not seen only its own end is looked for."""

    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    quotes: int = 0
    preformatted: int = 0
    unseen: str = ""

    def tag(self, name: str, *, closing: bool) -> None:
        if self.unseen:
            self.unseen = "" if closing and name == self.unseen else self.unseen
        elif name in _UNSEEN:
            self.unseen = "" if closing else name
        elif name == "br":
            self._end_line()
        elif name in _BLOCKS and closing:
            self._close(name)
        elif name in _BLOCKS:
            self._open(name)
        elif name in ("td", "th"):
            self.words(" ")

    def words(self, text: str) -> None:
        if self.unseen:
            return
        if not self.preformatted:
            self.line.append(text.replace("\n", " "))
            return
        first, *others = text.split("\n")
        self.line.append(first)
        for other in others:
            self._end_line()
            self.line.append(other)

    def text(self) -> str:
        self._finish_line()
        return "\n".join(self.lines).strip("\n")

    def _open(self, name: str) -> None:
        self._finish_line()
        if name in _SPACED:
            self._blank()
        if name == "blockquote":
            self.quotes += 1
        elif name == "pre":
            self.preformatted += 1
        elif name == "li":
            self.line.append("- ")
        elif name == "hr":
            self.line.append(RULE)
            self._end_line()

    def _close(self, name: str) -> None:
        self._finish_line()
        if name in _SPACED:
            self._blank()
        if name == "blockquote":
            self.quotes = max(0, self.quotes - 1)
        elif name == "pre":
            self.preformatted = max(0, self.preformatted - 1)

    def _finish_line(self) -> None:
        if "".join(self.line).strip():
            self._end_line()
        self.line = []

    def _end_line(self) -> None:
        line = "".join(self.line)
        # Spaces that are meant, as &nbsp; is, stay.
        shown = line.rstrip() if self.preformatted else re.sub(r"[ \t\r\n]+", " ", line).strip(" ")
        self.lines.append(self._mark() + shown)
        self.line = []

    def _blank(self) -> None:
        if self.lines and self.lines[-1].strip("> "):
            self.lines.append(self._mark().rstrip())

    def _mark(self) -> str:
        return "> " * min(self.quotes, _DEEPEST)
