"""The two texts that answer a word: that texts have stopped, once for each STOP; and who writes here."""

import secrets
from collections.abc import Callable

import structlog

from jobthread.deliver import sms
from jobthread.deliver.gsm7 import written
from jobthread.deliver.outgoing import Outgoing, Send
from jobthread.deliver.wording import WORDINGS, Wording
from jobthread.entities import Language, Micros

log = structlog.get_logger()

NO_DELIVERY = 0


def stopped(company: str, language: Language = Language.EN) -> str:
    words = WORDINGS[language]
    return _worded(words.texts_stopped, company, words)


def help_with(company: str, language: Language = Language.EN) -> str:
    words = WORDINGS[language]
    return _worded(words.texts_help, company, words)


def _worded(text: str, company: str, words: Wording) -> str:
    return written(text.format(company=sms.named(company, words)))


async def answer(send: Send, number: str, text: str, clock: Callable[[], Micros]) -> None:
    """Tried once and never again: a second confirmation would be worse than none."""
    outgoing = Outgoing(NO_DELIVERY, secrets.token_hex(16), clock(), number, "", "", text)
    try:
        await send(outgoing)
    except Exception as error:
        log.warning("text_answer_failed", error=type(error).__name__)
