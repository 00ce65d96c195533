"""Whether the process lives, whether it can serve, and what Prometheus may know. No session needed."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from litestar import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from jobthread.api.calls import Asked, Calls, Nothing, Who, answer
from jobthread.entities import Channel, DeliveryStatus
from jobthread.errors import JobthreadError, Unavailable
from jobthread.store import outbox, schema
from jobthread.store.database import Database, Reading

calls = Calls()


class Health(msgspec.Struct):
    status: str = "ok"


@calls.add("GET", "/healthz", Who.ANYONE, answers={200: Health})
async def alive(asked: Asked[None, Nothing]) -> Response[bytes]:
    """The process lives; looks at nothing else."""
    return answer(Health())


@calls.add("GET", "/readyz", Who.ANYONE, answers={200: Health}, errors=(Unavailable,))
async def ready(asked: Asked[None, Nothing]) -> Response[bytes]:
    """The database answers and its schema is current."""
    try:
        current = await asked.parts.db.read(schema.is_current)
    except JobthreadError as error:
        raise Unavailable("The database does not answer") from error
    if not current:
        raise Unavailable("The schema of the database is not this server's")
    return answer(Health("ready"))


@dataclass(frozen=True)
class Metrics:
    """Labels are route templates and statuses only: never an id, an address or a name."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    waiting_writes: Gauge
    deliveries: Gauge
    attempts: Counter
    texts: Counter

    def observe_text(self, outcome: str) -> None:
        self.texts.labels(outcome).inc()

    def observe_delivery(self, channel: Channel, status: DeliveryStatus) -> None:
        self.attempts.labels(channel, status).inc()

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self.requests.labels(method, route, status).inc()
        self.seconds.labels(method, route).observe(seconds)


def new_metrics() -> Metrics:
    registry = CollectorRegistry()
    labels = ["method", "route"]
    return Metrics(
        registry=registry,
        requests=Counter("jobthread_requests", "Answered", [*labels, "status"], registry=registry),
        seconds=Histogram("jobthread_request_seconds", "Time to answer", labels, registry=registry),
        waiting_writes=Gauge("jobthread_waiting_writes", "Writes in the queue", registry=registry),
        deliveries=Gauge("jobthread_deliveries", "Deliveries by status", ["status"], registry=registry),
        attempts=Counter(
            "jobthread_delivery_attempts", "Attempts by end", ["channel", "status"], registry=registry
        ),
        texts=Counter(
            "jobthread_texts_received", "Texts by what became of them", ["outcome"], registry=registry
        ),
    )


def metrics_call(metrics: Metrics, db: Database) -> Calls:
    """The call that Prometheus makes; only where a setting turns it on."""
    found = Calls()

    @found.add(
        "GET", "/metrics", Who.ANYONE, answers={200: str}, errors=(Unavailable,), media_type="text/plain"
    )
    async def prometheus(asked: Asked[None, Nothing]) -> Response[bytes]:
        """Figures for Prometheus, in its text format."""
        metrics.waiting_writes.set(db.waiting_writes)
        counted = await db.read(_delivery_counts)
        for status in DeliveryStatus:
            # Also those that no delivery has any more: a gauge that is not set keeps what it showed last.
            metrics.deliveries.labels(status).set(counted.get(status, 0))
        return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4")

    return found


_delivery_counts: Callable[[Reading], dict[str, int]] = outbox.counts
