"""What went out to whom, and what did not, and why."""

from litestar import Response

from jobthread.actions import deliveries
from jobthread.api import delivery_shapes, encoding, wire
from jobthread.api.calls import Asked, Calls, Nothing, Who, answer
from jobthread.errors import Forbidden, NotFailed, NotFound, RateLimited
from jobthread.store import deliveries as store
from jobthread.store import outbox
from jobthread.store.database import Reading

calls = Calls()


@calls.add(
    "GET",
    "/api/chat/threads/{thread_id:int}/deliveries",
    Who.STAFF,
    answers={200: delivery_shapes.ThreadDeliveries},
    errors=(NotFound,),
)
async def thread_deliveries(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Who was told of which messages, by what, and how that ended; the newest 200."""
    thread_id = asked.id("thread_id")
    found = await asked.parts.db.read(lambda tx: deliveries.of_thread(tx, asked.by, thread_id))
    return answer(delivery_shapes.ThreadDeliveries([encoding.thread_delivery(one) for one in found]))


@calls.add(
    "GET",
    "/api/deliveries",
    Who.STAFF,
    query=delivery_shapes.DeliveriesQuery,
    answers={200: delivery_shapes.Deliveries},
    errors=(Forbidden,),
)
async def list_deliveries(asked: Asked[None, delivery_shapes.DeliveriesQuery]) -> Response[bytes]:
    """All that went out or waits, newest first; and of each channel when it last worked (admins)."""
    return answer(await asked.parts.db.read(lambda tx: _page(tx, asked)))


def _page(tx: Reading, asked: Asked[None, delivery_shapes.DeliveriesQuery]) -> delivery_shapes.Deliveries:
    deliveries.check_admin(tx, asked.by)
    query = asked.query
    found = store.page(tx, query.status, query.cursor, query.limit)
    return delivery_shapes.Deliveries(
        channels=[
            delivery_shapes.ChannelState(channel, wire.maybe_moment(last), waiting, failed)
            for channel, (last, waiting, failed) in store.by_channel(tx).items()
        ],
        oldest_waiting_at=wire.maybe_moment(outbox.oldest_waiting(tx)),
        deliveries=[encoding.any_delivery(one) for one in found.items],
        next_cursor=found.next_cursor,
    )


@calls.add(
    "POST",
    "/api/deliveries/{delivery_id:int}/retry",
    Who.STAFF,
    answers={202: delivery_shapes.AnyDelivery},
    errors=(Forbidden, NotFound, NotFailed),
)
async def retry_delivery(asked: Asked[None, Nothing]) -> Response[bytes]:
    """Try one again that was given up; a link goes out with a new token (admins)."""
    parts = asked.parts
    await parts.db.read(lambda tx: deliveries.check_admin(tx, asked.by))
    delivery_id = asked.id("delivery_id")
    queued = await parts.db.write(lambda tx: deliveries.retry(tx, asked.by, parts.issuing, delivery_id))
    return answer(encoding.any_delivery(queued), 202)


@calls.add(
    "POST",
    "/api/deliveries/test",
    Who.STAFF,
    body=delivery_shapes.TestDelivery,
    answers={202: delivery_shapes.AnyDelivery},
    errors=(Forbidden, RateLimited),
)
async def send_test(asked: Asked[delivery_shapes.TestDelivery, Nothing]) -> Response[bytes]:
    """Send oneself a test by that channel (admins)."""
    parts, channel = asked.parts, asked.body.channel
    queued = await parts.db.write(lambda tx: deliveries.try_out(tx, asked.by, parts.issuing, channel))
    return answer(encoding.any_delivery(queued), 202)
