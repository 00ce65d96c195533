"""What every text message passes on its way out: nothing goes to a number that asked for no more texts."""

from contextlib import suppress

from jobthread import texting
from jobthread.deliver.gsm7 import pieces
from jobthread.deliver.outgoing import DeliveryFailed, Outgoing, Send
from jobthread.deliver.sms_http import OptedOut
from jobthread.entities import Actor, ConsentHow, ConsentState
from jobthread.errors import Unavailable
from jobthread.store import audit, consent
from jobthread.store.database import Database

MOST_PIECES = 10
NOBODY = Actor(None, "", "")


def only_where_allowed(db: Database, send: Send) -> Send:
    """The channel behind the ledger: asked anew right before each attempt, whatever is sent and by whom."""

    async def allowed(outgoing: Outgoing) -> str:
        number = _checked(outgoing)
        try:
            stopped = await db.read(lambda tx: consent.is_stopped(tx, number))
        except Unavailable as error:
            # Definite: without an answer from the ledger nothing goes.
            raise DeliveryFailed("the consent ledger did not answer", permanent=False) from error
        if stopped:
            raise DeliveryFailed(texting.STOPPED, permanent=True)
        try:
            return await send(outgoing)
        except OptedOut as refusal:
            await _note(db, number, refusal.code)
            raise

    return allowed


def _checked(outgoing: Outgoing) -> str:
    number = texting.e164(outgoing.to)
    if number is None:
        raise DeliveryFailed("this is not a telephone number that could be dialled", permanent=True)
    if pieces(outgoing.text) > MOST_PIECES:
        raise DeliveryFailed("the text is too long for a text message", permanent=True)
    return number


async def _note(db: Database, number: str, code: str) -> None:
    """Where the ledger is away, the provider says so again next time."""
    with suppress(Unavailable):
        await db.write(
            lambda tx: consent.change(
                tx,
                NOBODY,
                number,
                ConsentState.STOPPED,
                ConsentHow.PROVIDER,
                f"error {code}",
                audit.About("number", None),
            )
        )
