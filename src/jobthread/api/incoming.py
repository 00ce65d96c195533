"""Mails that came in, for admins: what became of each, and the mail as it came."""

import asyncio

from litestar import Response

from jobthread import policy
from jobthread.api import encoding, trail_shapes
from jobthread.api.calls import Asked, Calls, Nothing, Who, answer
from jobthread.errors import Forbidden, NotFound
from jobthread.store import incoming

calls = Calls()

MAIL = "message/rfc822"


@calls.add(
    "GET",
    "/api/incoming-mails",
    Who.STAFF,
    query=trail_shapes.IncomingMailsQuery,
    answers={200: trail_shapes.IncomingMails},
    errors=(Forbidden,),
)
async def list_incoming_mails(asked: Asked[None, trail_shapes.IncomingMailsQuery]) -> Response[bytes]:
    """The mails that came to signed addresses, newest first."""
    if not policy.may_administer(asked.staff):
        raise Forbidden
    query = asked.query
    page = await asked.parts.db.read(lambda tx: incoming.page(tx, query.cursor, query.limit))
    return answer(
        trail_shapes.IncomingMails([encoding.incoming_mail(m) for m in page.items], page.next_cursor)
    )


@calls.add(
    "GET",
    "/api/incoming-mails/{mail_id:int}/raw",
    Who.STAFF,
    answers={200: str},
    errors=(Forbidden,),
    media_type=MAIL,
)
async def get_raw_mail(asked: Asked[None, Nothing]) -> Response[bytes]:
    """The mail as it came, to be saved: it is somebody else's, and may hold anything."""
    if not policy.may_administer(asked.staff):
        raise Forbidden
    mail_id = asked.id("mail_id")
    mail = await asked.parts.db.read(lambda tx: incoming.get(tx, mail_id))
    try:
        raw = await asyncio.to_thread((asked.parts.mails_folder / mail.raw_name).read_bytes)
    except OSError:
        raise NotFound from None
    headers = {"Content-Disposition": f'attachment; filename="mail-{mail_id}.eml"'}
    return Response(raw, media_type=MAIL, headers=headers)
