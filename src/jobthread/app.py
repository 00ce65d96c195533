"""The one place where the parts are joined: settings in, a running application out."""

import asyncio
import contextlib
import gc
import os
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar

from jobthread import mail_in, tokens
from jobthread.actions import escalation, housekeeping, notifications
from jobthread.actions.links import Issuing
from jobthread.api import (
    customer_shapes,
    encoding,
    health,
    limits,
    outbox,
    routes,
    texting_accounts,
)
from jobthread.api.callers import Callers
from jobthread.api.calls import Calls
from jobthread.api.front import App, front
from jobthread.api.parts import Parts
from jobthread.api.texting import Texting
from jobthread.business_hours import hours_of
from jobthread.deliver import compose, email, letters, push, worker
from jobthread.deliver.outgoing import Compose, Send
from jobthread.deliver.push_encryption import Keys, keys_from
from jobthread.deliver.sms_accounts import Account, Folder
from jobthread.deliver.sms_allowed import only_where_allowed
from jobthread.entities import AccessEnded, AuditWritten, Channel, DeliveryQueued, DeliveryStatus, Happening
from jobthread.live.hub import Hub
from jobthread.live.postgres import Wire
from jobthread.live.wording import Shapes
from jobthread.receive import keeping
from jobthread.setting_values import is_local
from jobthread.settings import Settings
from jobthread.store import limits as store_limits
from jobthread.store import opening, schema
from jobthread.store.database import Database
from jobthread.supervision import kept_alive

SECRET_KEY_FILE = "secret.key"  # noqa: S105
PATIENCE_SECONDS = 10.0
"""The longest that a request waits for the database."""


def secret_key(settings: Settings) -> str:
    """The key that is set; else the one made at the first start, kept in the data directory."""
    if settings.secret_key is not None:
        return settings.secret_key
    file = settings.data_dir / SECRET_KEY_FILE
    with contextlib.suppress(FileExistsError):
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(made, "w", encoding="ascii") as writing:
            writing.write(secrets.token_urlsafe(48))
    return file.read_text("ascii").strip()


def audit_key(settings: Settings) -> bytes:
    return tokens.derived(secret_key(settings), "audit")


def open_database(settings: Settings) -> Database:
    """Raises `schema.SchemaError` with one line where the database cannot be used."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    schema.migrate(settings.database_url)
    return Database(settings.database_url)


def parts_of(settings: Settings, db: Database, *, demo: bool = False) -> Parts:
    counted = store_limits.ON if settings.rate_limits else store_limits.OFF
    return Parts(
        db=db,
        callers=Callers(db, settings.session_days),
        issuing=issuing(settings),
        limits=counted,
        typing_limits=limits.TypingLimits(),
        hours=hours_of(settings.business_hours, settings.time_zone),
        hub=hub_of(db),
        message_limits=limits.MessageLimits() if settings.rate_limits else limits.MessageLimits(None, None),
        company=settings.company,
        country=settings.country,
        session_days=settings.session_days,
        base_url=settings.base_url,
        push_key=push_keys(settings).public,
        unsubscribe_key=unsubscribe_key(settings),
        mails_folder=mail_in.folder(settings),
        demo=demo,
        texting=texting(settings, db),
    )


def hub_of(db: Database) -> Hub:
    return Hub(
        db,
        Shapes(encoding.message, encoding.thread),
        Shapes(customer_shapes.message, customer_shapes.thread),
    )


def issuing(settings: Settings) -> Issuing:
    return Issuing(
        base_url=settings.base_url,
        hours=settings.link_days * 24,
        seal=tokens.Seal(secret_key(settings)),
        limits=store_limits.ON if settings.rate_limits else store_limits.OFF,
    )


def texting(settings: Settings, db: Database) -> Texting:
    """By what texts go out and come in. All but one confirmation go out behind the consent ledger."""
    account = sms_account(settings)
    host = urlsplit(settings.base_url).hostname or ""
    # A provider refuses a text whose receipts it could not bring back.
    reached_at = None if is_local(host) else settings.base_url
    bare = texting_accounts.channel(account, reached_at)
    provider, is_signed = texting_accounts.provider_of(account)
    return Texting(provider, is_signed, only_where_allowed(db, bare), bare, settings.company, db.clock)


def sms_account(settings: Settings) -> Account:
    return settings.sms_url or Folder(outbox_folder(settings))


def channels(settings: Settings, db: Database, texts: Send) -> dict[Channel, Send]:
    """How each channel sends: through a server where one is set, else into the folder of files."""
    sender = email.sender(settings.mail_from, settings.company, settings.base_url)
    mail = email.into_folder(outbox_folder(settings), sender)
    if (url := settings.smtp_url) is not None:
        server = email.SmtpServer(url.host, url.port, url.username, url.password, url.encryption)
        mail = email.through(server, sender)
    notices = push.Service(db, push_keys(settings), settings.base_url, push.public_address)
    return {
        Channel.EMAIL: mail,
        Channel.SMS: texts,
        Channel.PUSH: push.through(notices),
    }


def push_keys(settings: Settings) -> Keys:
    return keys_from(tokens.derived(secret_key(settings), "push"))


def outbox_folder(settings: Settings) -> Path:
    return settings.data_dir / "outbox"


def composed(settings: Settings) -> Compose:
    key = tokens.derived(secret_key(settings), "delivery names")
    return compose.composer(
        settings.company,
        issuing(settings).url,
        key,
        base_url=settings.base_url,
        quoted=letters.QUOTED if settings.notify_quotes else 0,
        reply_address=settings.reply_address,
        reply_key=reply_key(settings),
        unsubscribe_key=unsubscribe_key(settings),
        time_zone=settings.time_zone,
    )


def reply_key(settings: Settings) -> bytes:
    return tokens.derived(secret_key(settings), "reply addresses")


def unsubscribe_key(settings: Settings) -> bytes:
    return tokens.derived(secret_key(settings), "unsubscribing")


def own_domain(settings: Settings) -> str:
    """What stands in the Message-IDs of our own mails."""
    return email.sender(settings.mail_from, settings.company, settings.base_url).domain


def application(settings: Settings, parts: Parts, more: Sequence[Calls] = ()) -> App:
    metrics = health.new_metrics() if settings.metrics else None
    calls = [*more, *([health.metrics_call(metrics, parts.db)] if metrics else [])]
    if metrics:
        parts.hub.door.observe_cut = metrics.streams_cut.inc
    pages = outbox.pages(outbox_folder(settings), settings.company) if parts.demo else []
    texts = parts.texting or texting(settings, parts.db)
    if metrics:
        texts.observe = metrics.observe_text
    inner = routes.litestar(
        parts,
        settings.max_body_kb * 1024,
        calls,
        pages,
        lifespan=[_lifespan(settings, parts, texts, metrics)],
    )
    return front(
        inner,  # type: ignore[arg-type]
        https=parts.https,
        observe=metrics.observe if metrics else None,
    )


def proxy_options(settings: Settings) -> dict[str, Any]:
    """What uvicorn is told about proxies: only the word of those that are named is taken."""
    trusted = [str(network) for network in settings.trusted_proxies]
    return {"proxy_headers": bool(trusted), "forwarded_allow_ips": trusted or None}


def _lifespan(
    settings: Settings, parts: Parts, texts: Texting, metrics: health.Metrics | None
) -> Callable[[Litestar], Any]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        db = parts.db
        await opening.opened(settings.database_url, db)
        db.patience = PATIENCE_SECONDS
        wire = _wired(settings, parts)
        audit_written, delivery_queued = asyncio.Event(), asyncio.Event()
        db.on_commit = _teller(asyncio.get_running_loop(), parts, audit_written, delivery_queued)
        stopping = asyncio.Event()
        patience = escalation.Patience(parts.hours, settings.answer_minutes)
        observe = metrics.observe_delivery if metrics else _unobserved
        ways, compose_it = channels(settings, db, texts.send), composed(settings)
        workers: dict[str, Callable[[], Awaitable[None]]] = {
            "deliveries": lambda: worker.deliver_forever(
                db, parts.issuing.seal, ways, compose_it, delivery_queued, stopping, observe=observe
            ),
            "notifications": lambda: notifications.keep_telling(
                db, parts.issuing, settings.notify_after, stopping
            ),
        }
        workers |= mail_in.workers(
            settings,
            db,
            reply_key(settings),
            own_domain(settings),
            stopping,
            observe=metrics.observe_mail if metrics else _unread,
            looked=metrics.observe_mailbox if metrics else _unlooked,
        )
        restarted = metrics.observe_restart if metrics else _unheard
        at_work = [
            asyncio.create_task(kept_alive(name, run, stopping, restarted)) for name, run in workers.items()
        ]
        background = [
            asyncio.create_task(housekeeping.keep_sealed(db, audit_key(settings), audit_written)),
            asyncio.create_task(housekeeping.keep_tidy(db)),
            asyncio.create_task(escalation.keep_escalating(db, patience)),
            asyncio.create_task(keeping.keep_for(db, parts.mails_folder, settings.mail_keep_days)),
            asyncio.create_task(parts.hub.run()),
            *([asyncio.create_task(wire.run())] if wire else []),
        ]
        if wire is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await wire.connected.wait()
        _settle_memory()
        try:
            yield
        finally:
            parts.hub.close()
            stopping.set()
            await asyncio.gather(*at_work)
            await texts.close()
            await _ended(background)
            await asyncio.to_thread(db.close)

    return lifespan


def _wired(settings: Settings, parts: Parts) -> Wire | None:
    """To the other processes, where there can be any."""
    if parts.db.dialect == "sqlite":
        return None
    wire = Wire(parts.db, parts.hub, settings.listen_url or settings.database_url, parts.callers.forget)
    parts.hub.elsewhere = wire.tell
    return wire


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _unobserved(channel: Channel, status: DeliveryStatus) -> None:
    """Where no figures are wanted."""


def _unheard(worker: str) -> None:
    """The same of workers begun anew."""


def _unread(outcome: str, reason: str) -> None:
    """The same of mails that came in."""


def _unlooked() -> None:
    """The same of the mailbox."""


def _teller(
    loop: asyncio.AbstractEventLoop, parts: Parts, audit_written: asyncio.Event, queued: asyncio.Event
) -> Callable[[list[Happening]], None]:
    """What each kind of happening sets in motion, after its commit and before its answer."""

    def tell(happenings: list[Happening]) -> None:
        kinds = {type(happening) for happening in happenings}
        if AccessEnded in kinds:
            parts.callers.forget()
        parts.hub.tell(happenings)
        if AuditWritten in kinds:
            loop.call_soon_threadsafe(audit_written.set)
        if DeliveryQueued in kinds:
            loop.call_soon_threadsafe(queued.set)

    return tell


def _settle_memory() -> None:
    """What is loaded by now stays: the collector need not walk it again. Halved p99 in trials."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1000)
    sys.setswitchinterval(0.0005)
