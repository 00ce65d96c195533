"""The two texts that answer a word: that texts have stopped, once for each STOP; and who writes here."""

import secrets
from collections.abc import Callable

import structlog

from jobthread.deliver import sms
from jobthread.deliver.gsm7 import written
from jobthread.deliver.outgoing import Outgoing, Send
from jobthread.deliver.wording import WORDINGS
from jobthread.entities import Language, Micros

log = structlog.get_logger()

NO_DELIVERY = 0


def stopped(company: str, language: Language = Language.EN) -> str:
    return _worded(WORDINGS[language].texts_stopped, company)


def help_with(company: str, language: Language = Language.EN) -> str:
    return _worded(WORDINGS[language].texts_help, company)


def _worded(words: str, company: str) -> str:
    return written(words.format(company=sms.named(company)))


async def answer(send: Send, number: str, text: str, clock: Callable[[], Micros]) -> None:
    """Tried once and never again: a second confirmation would be worse than none."""
    outgoing = Outgoing(NO_DELIVERY, secrets.token_hex(16), clock(), number, "", "", text)
    try:
        await send(outgoing)
    except Exception as error:
        log.warning("text_answer_failed", error=type(error).__name__)
