"""The two texts that answer a word: that texts have stopped, once for each STOP; and who writes here."""

import secrets
from collections.abc import Callable

import structlog

from jobthread.deliver import sms
from jobthread.deliver.outgoing import Outgoing, Send
from jobthread.entities import Micros

log = structlog.get_logger()

NO_DELIVERY = 0
_STOPPED = "{company}: you will get no more texts from us. Reply START to get them again."
_HELP = "{company}: texts about your job. Reply to write to us, or reply STOP to end these texts."


def stopped(company: str) -> str:
    return _STOPPED.format(company=sms.named(company))


def help_with(company: str) -> str:
    return _HELP.format(company=sms.named(company))


async def answer(send: Send, number: str, text: str, clock: Callable[[], Micros]) -> None:
    """Tried once and never again: a second confirmation would be worse than none."""
    outgoing = Outgoing(NO_DELIVERY, secrets.token_hex(16), clock(), number, "", "", text)
    try:
        await send(outgoing)
    except Exception as error:
        log.warning("text_answer_failed", error=type(error).__name__)
