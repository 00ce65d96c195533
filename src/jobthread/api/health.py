"""Whether the process lives, whether it can serve, and what Prometheus may know. No session needed."""

from dataclasses import dataclass
from typing import Literal

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


class Readiness(msgspec.Struct):
    status: str
    deliveries: Literal["ok", "stuck"]


STUCK_AFTER = 15 * 60 * 1_000_000
"""Microseconds that something may wait to go out before the queue counts as stuck."""


@calls.add("GET", "/readyz", Who.ANYONE, answers={200: Readiness}, errors=(Unavailable,))
async def ready(asked: Asked[None, Nothing]) -> Response[bytes]:
    """The database answers and its schema is current; `deliveries` says whether what goes out is stuck."""
    try:
        current, stuck = await asked.parts.db.read(lambda tx: (schema.is_current(tx), _is_stuck(tx)))
    except JobthreadError as error:
        raise Unavailable("The database does not answer") from error
    if not current:
        raise Unavailable("The schema of the database is not this server's")
    return answer(Readiness("ready", "stuck" if stuck else "ok"))


def _is_stuck(tx: Reading) -> bool:
    oldest = outbox.oldest_waiting(tx)
    return oldest is not None and oldest < tx.now - STUCK_AFTER


@dataclass(frozen=True)
class Metrics:
    """Labels are route templates and statuses only: never an id, an address or a name."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    waiting_writes: Gauge
    deliveries: Gauge
    oldest: Gauge
    attempts: Counter
    restarts: Counter
    streams: Gauge
    streams_cut: Counter
    texts: Counter
    mails: Counter
    mailbox: Gauge

    def observe_restart(self, worker: str) -> None:
        self.restarts.labels(worker).inc()

    def observe_text(self, outcome: str) -> None:
        self.texts.labels(outcome).inc()

    def observe_mail(self, outcome: str, reason: str) -> None:
        self.mails.labels(outcome, reason).inc()

    def observe_mailbox(self) -> None:
        self.mailbox.set_to_current_time()

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
        oldest=Gauge(
            "jobthread_oldest_delivery_seconds", "Age of the oldest that waits, or 0", registry=registry
        ),
        restarts=Counter("jobthread_worker_restarts", "Workers begun anew", ["worker"], registry=registry),
        attempts=Counter(
            "jobthread_delivery_attempts", "Attempts by end", ["channel", "status"], registry=registry
        ),
        streams=Gauge("jobthread_streams", "Open live streams", ["of"], registry=registry),
        streams_cut=Counter("jobthread_streams_cut", "Readers that had stalled", registry=registry),
        texts=Counter(
            "jobthread_texts_received", "Texts by what became of them", ["outcome"], registry=registry
        ),
        mails=Counter(
            "jobthread_mails_received",
            "Mails by what became of them",
            ["outcome", "reason"],
            registry=registry,
        ),
        mailbox=Gauge(
            "jobthread_mailbox_read_seconds", "When the mailbox was read, since 1970, or 0", registry=registry
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
        for of, count in asked.parts.hub.audience.counts().items():
            metrics.streams.labels(of).set(count)
        counted, oldest = await db.read(lambda tx: (outbox.counts(tx), outbox.oldest_waiting(tx)))
        metrics.oldest.set(0 if oldest is None else max(db.clock() - oldest, 0) / 1_000_000)
        for status in DeliveryStatus:
            # Also those that no delivery has any more: a gauge that is not set keeps what it showed last.
            metrics.deliveries.labels(status).set(counted.get(status, 0))
        return Response(generate_latest(metrics.registry), media_type="text/plain; version=0.0.4")

    return found
