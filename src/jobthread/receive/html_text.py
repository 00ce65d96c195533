"""The text of a mail that came as HTML alone: its lines, with what is quoted marked so."""

from html.parser import HTMLParser

LONGEST = 1_000_000
_UNSEEN = frozenset({"head", "script", "style", "title", "template", "noscript", "object", "svg"})
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "pre", "table"})
_BLOCKS = _SPACED | {"address", "article", "aside", "center", "dd", "div", "dl", "dt", "footer", "form"}
_BLOCKS |= {"fieldset", "header", "hr", "li", "main", "nav", "section", "tr"}
RULE = "_" * 32


def text_of(html: str) -> str:
    """What a reader would see, with `> ` before quoted lines. Of what is far too long the beginning."""
    reader = _Reader()
    reader.feed(html[:LONGEST])
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line = ""
        self._quotes = 0
        self._unseen = 0
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self._end_line()
        elif tag in _BLOCKS:
            self._begin_block(tag)
        elif tag in ("td", "th") and self._line.strip():
            self._line += " "

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self._finish_line()
            if tag in _SPACED:
                self._blank()
            if tag == "blockquote":
                self._quotes = max(0, self._quotes - 1)
            if tag == "pre":
                self._preformatted = max(0, self._preformatted - 1)

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        if self._preformatted:
            first, *others = data.split("\n")
            self._line += first
            for other in others:
                self._end_line()
                self._line = other
            return
        words = " ".join(data.split())
        if not words:
            self._line += " " if self._line and not self._line.endswith(" ") else ""
            return
        before = " " if data[0].isspace() and self._line and not self._line.endswith(" ") else ""
        after = " " if data[-1].isspace() else ""
        self._line += before + words + after

    def text(self) -> str:
        self._finish_line()
        return "\n".join(self._lines).strip("\n")

    def _begin_block(self, tag: str) -> None:
        self._finish_line()
        if tag in _SPACED:
            self._blank()
        if tag == "blockquote":
            self._quotes += 1
        elif tag == "pre":
            self._preformatted += 1
        elif tag == "li":
            self._line = "- "
        elif tag == "hr":
            self._line = RULE
            self._end_line()

    def _finish_line(self) -> None:
        if self._line.strip():
            self._end_line()
        self._line = ""

    def _end_line(self) -> None:
        line = self._line.rstrip()
        self._lines.append("> " * min(self._quotes, 5) + line)
        self._line = ""

    def _blank(self) -> None:
        if self._lines and self._lines[-1].strip("> "):
            self._lines.append(("> " * min(self._quotes, 5)).rstrip())
