"""What somebody wrote in an answer, without the mail they answered and without their signature. Pure.

English and Spanish, as the usual mail programs quote. Where a doubt remains it stays: a line too many is
a smaller harm than a line that is gone.
"""

import re

_EMPTY = re.compile(r"\s*\Z")
_QUOTED = re.compile(r"\s*(>|&gt;)")
_SIGNATURE = re.compile(r"--[ \u00a0]?\Z|—\Z")
_RULE = re.compile(r"\s*[_\-—]{10,}\s*\Z")

# "On Mon, 23 Nov 2026 at 10:01, Dora <dora@example.com> wrote:", in one line or wrapped onto some.
_LONGEST_ATTRIBUTION = 400
_BEGINS = re.compile(r"(?:On|El|En|Em)\s", re.IGNORECASE)
_WROTE = re.compile(
    r"\b(?:wrote|writes|escribió|escribio|escribía|ha escrito)\b[^:]{0,60}:\s*\Z", re.IGNORECASE
)
# "2026-11-23 10:01 GMT+01:00 Dora <dora@example.com>:", as Gmail had it for long.
_DATED = re.compile(r"\d{4}-\d{2}-\d{2} \d{1,2}:\d{2}[^<>]{0,200}<[^<>\s]{3,254}>:\s*\Z")
_TELLS_WHEN_OR_WHO = re.compile(r"[\d@]")

_ORIGINAL = re.compile(
    r"\s*[-_]{2,}\s*(?:Original Message|Original Appointment|Mensaje original|Mensaje Original|"
    r"Correo original|Reply message)\s*[-_]{2,}\s*\Z",
    re.IGNORECASE,
)
_FROM = re.compile(r"\s*\*?(?:From|De|Von|Desde)\s*:\s*\*?.", re.IGNORECASE)
_OTHER_HEADER = re.compile(
    r"\s*\*?(?:Sent|Date|To|Cc|Subject|Reply-To|Enviado(?: el)?|Enviada(?: el)?|Fecha|Para|CC|Asunto|"
    r"Responder a)\s*:",
    re.IGNORECASE,
)
_SENT_FROM = re.compile(
    r"\s*(?:\(?Sent from (?:my|Outlook|Mail|Yahoo|Samsung|Gmail|Proton|AOL|Windows)\b|Sent (?:with|via) |"
    r"Get Outlook for |"
    r"(?:Enviado|Enviada) (?:desde|con|a partir de|por) |Obtener Outlook para |Obtén Outlook para |"
    r"Descargar? Outlook para |Mandado desde mi ).{0,90}\Z",
    re.IGNORECASE,
)


def cut(text: str) -> str:
    """What was written; all of it where nothing else would remain."""
    return top_of(text) or _without_quotes(text) or text.strip()


def top_of(text: str) -> str:
    """What was written, which may be nothing."""
    return _without_signature(_without_quotes(text))


# --- what was answered ----------------------------------------------------------------------------


def _without_quotes(text: str) -> str:
    lines = text.split("\n")
    for place in range(len(lines)):
        length = _marker_at(lines, place)
        if length:
            above = _without_last_quote(lines[:place])
            lines = above + _answers_below(lines[place + length :])
            break
    return "\n".join(_without_last_quote(lines)).strip()


def _marker_at(lines: list[str], place: int) -> int:
    """How many lines the mark has that begins here and has somebody else's mail after it; 0 for none."""
    line = lines[place]
    if _EMPTY.match(line) or _QUOTED.match(line):
        return 0
    if _ORIGINAL.match(line) or _is_header_block(lines, place):
        return 1
    if _RULE.match(line):
        following = next((n for n in range(place + 1, len(lines)) if not _EMPTY.match(lines[n])), None)
        return 1 if following is not None and _is_header_block(lines, following) else 0
    return _attribution_at(lines, place)


def _is_header_block(lines: list[str], place: int) -> bool:
    """`From:` and at least two more headers in the lines after it."""
    if not _FROM.match(lines[place]):
        return False
    return sum(1 for line in lines[place + 1 : place + 8] if _OTHER_HEADER.match(line)) >= 2


def _attribution_at(lines: list[str], place: int) -> int:
    """It must tell when or who: "On Monday he wrote:" is what people say themselves."""
    together = ""
    for length, line in enumerate(lines[place : place + 4], 1):
        if _EMPTY.match(line) or len(line) > _LONGEST_ATTRIBUTION:
            return 0
        together = f"{together} {line.strip()}".lstrip()
        if _is_attribution(together):
            return length
        if length == 1 and not _BEGINS.match(together) and "@" not in together:
            return 0
    return 0


def _is_attribution(text: str) -> bool:
    if _DATED.match(text):
        return True
    named = _BEGINS.match(text) or "@" in text
    return bool(named and _TELLS_WHEN_OR_WHO.search(text) and _WROTE.search(text[-100:]))


def _answers_below(rest: list[str]) -> list[str]:
    """What stands under or between the quoted lines; nothing where none of them is marked as quoted."""
    if not any(_QUOTED.match(line) for line in rest):
        return []
    first = next(n for n, line in enumerate(rest) if not _EMPTY.match(line))
    if not _QUOTED.match(rest[first]):
        return []
    unquoted = [line for line in rest if not _EMPTY.match(line) and not _QUOTED.match(line)]
    if not any(map(_says_something, unquoted)):
        return []
    below = list(rest)
    while below and (_EMPTY.match(below[0]) or _QUOTED.match(below[0])):
        below.pop(0)
    # Between the quoted lines: then those say what is answered.
    between = any(_QUOTED.match(line) for line in below[: _last_said(below)])
    return ["", *((rest if between else below)[first if between else 0 :])]


def _last_said(lines: list[str]) -> int:
    said = [n for n, line in enumerate(lines) if not _EMPTY.match(line) and not _QUOTED.match(line)]
    return said[-1] if said else 0


def _says_something(line: str) -> bool:
    return not (_SIGNATURE.match(line) or _SENT_FROM.match(line) or _RULE.match(line))


def _without_last_quote(lines: list[str]) -> list[str]:
    """Quoted lines at the end go, and with them nothing that stands between."""
    kept = list(lines)
    while kept and (_EMPTY.match(kept[-1]) or _QUOTED.match(kept[-1])):
        kept.pop()
    return kept


# --- signatures -----------------------------------------------------------------------------------


def _without_signature(text: str) -> str:
    lines = text.split("\n")
    for place, line in enumerate(lines):
        if _SIGNATURE.match(line):
            lines = lines[:place]
            break
    return "\n".join(_without_last_words(lines)).strip()


def _without_last_words(lines: list[str]) -> list[str]:
    """`Sent from my iPhone` and the like, where it is the last that is said; and a rule above it."""
    kept = list(lines)
    while kept and (_EMPTY.match(kept[-1]) or _SENT_FROM.match(kept[-1]) or _RULE.match(kept[-1])):
        kept.pop()
    return kept
