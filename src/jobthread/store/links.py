"""Magic links and the customers' cookies that they opened: only SHA-256 hashes are kept."""

from collections.abc import Collection, Iterable
from typing import Any

from msgspec import Struct
from sqlalchemy import Select, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from jobthread.entities import DeliveryStatus, JobStatus, Link, Micros, Person, Role, Visitor
from jobthread.errors import JobInactive, JobthreadError, LinkExpired, LinkRevoked, NotFound
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.tables import (
    chat_magic_sessions,
    chat_magic_tokens,
    customer_cookies,
    customers,
    deliveries,
    jobs,
    notification_links,
    users,
)

TOLD_FOR: Micros = 30 * 86_400_000_000
"""How long a cookie whose link has ended is still known, so that its holder can be told so."""


MORE_TOKENS = 5
"""Of the tokens that a link was sent with again: beyond so many the oldest opens nothing any more."""


class Standing(Struct, frozen=True):
    """A link with all that decides whether it still opens anything."""

    link: Link
    customer_name: str
    job_status: JobStatus

    @property
    def visitor(self) -> Visitor:
        link = self.link
        return Visitor(link.customer_id, self.customer_name, link.job_id, link.id, link.expires_at)


def refusal_of(tx: Reading, standing: Standing) -> JobthreadError | None:
    """Why a link opens nothing any more; None while it is good."""
    return refusal_at(standing, tx.now)


def refusal_at(standing: Standing, now: Micros) -> JobthreadError | None:
    if standing.link.revoked_at is not None:
        return LinkRevoked()
    if standing.job_status is not JobStatus.ACTIVE:
        return JobInactive()
    if standing.link.expires_at <= now:
        return LinkExpired()
    return None


def add(
    tx: Writing, job_id: int, customer_id: int, token_hash: bytes, created_by: int | None, expires_at: Micros
) -> int:
    added: int = tx.conn.execute(
        insert(chat_magic_sessions)
        .values(
            job_id=job_id,
            customer_id=customer_id,
            token_hash=token_hash,
            created_by=created_by,
            created_at=tx.now,
            expires_at=expires_at,
            use_count=0,
        )
        .returning(chat_magic_sessions.c.id)
    ).scalar_one()
    return added


def of_token(tx: Reading, token_hash: bytes) -> Standing | None:
    sent_again = select(chat_magic_tokens.c.magic_session_id).where(
        chat_magic_tokens.c.token_hash == token_hash
    )
    known = or_(chat_magic_sessions.c.token_hash == token_hash, chat_magic_sessions.c.id.in_(sent_again))
    return _standing(tx, _standings().where(known))


def of_cookie(tx: Reading, token_hash: bytes) -> Standing | None:
    """The link that earned the cookie: a cookie opens what its link opens, and ends with it."""
    opened = select(customer_cookies.c.magic_session_id).where(customer_cookies.c.token_hash == token_hash)
    return _standing(tx, _standings().where(chat_magic_sessions.c.id.in_(opened)))


def of_tokens(tx: Reading, hashes: Collection[bytes]) -> dict[bytes, Standing]:
    rows = tx.conn.execute(_standings().where(chat_magic_sessions.c.token_hash.in_(hashes)))
    return {bytes(row.token_hash): _made(row) for row in rows}


def of_cookies(tx: Reading, hashes: Collection[bytes]) -> dict[bytes, Standing]:
    cookies = customer_cookies.c
    chosen = _standings().add_columns(cookies.token_hash.label("cookie_hash"))
    opened = chosen.join(customer_cookies, cookies.magic_session_id == chat_magic_sessions.c.id)
    rows = tx.conn.execute(opened.where(cookies.token_hash.in_(hashes)))
    return {bytes(row.cookie_hash): _made(row) for row in rows}


def by_id(tx: Reading, link_ids: Iterable[int]) -> dict[int, Standing]:
    wanted = sorted(set(link_ids))
    if not wanted:
        return {}
    rows = tx.conn.execute(_standings().where(chat_magic_sessions.c.id.in_(wanted)))
    return {row.id: _made(row) for row in rows}


def get(tx: Reading, link_id: int) -> Standing:
    found = by_id(tx, [link_id]).get(link_id)
    if found is None:
        raise NotFound
    return found


def of_job(tx: Reading, job_id: int) -> list[Link]:
    """Newest first."""
    rows = tx.conn.execute(
        _standings().where(chat_magic_sessions.c.job_id == job_id).order_by(chat_magic_sessions.c.id.desc())
    )
    return [_link(row) for row in rows]


def opened(
    tx: Writing, link_id: int, cookie_hash: bytes, expires_at: Micros, ip: str, user_agent: str
) -> None:
    """Count an opening and lay down the cookie that it earned."""
    tx.conn.execute(
        update(chat_magic_sessions)
        .where(chat_magic_sessions.c.id == link_id)
        .values(
            last_used_at=tx.now,
            last_ip=ip,
            last_user_agent=user_agent,
            use_count=chat_magic_sessions.c.use_count + 1,
        )
    )
    tx.conn.execute(
        insert(customer_cookies).values(
            token_hash=cookie_hash, magic_session_id=link_id, created_at=tx.now, expires_at=expires_at
        )
    )


def add_token(tx: Writing, link_id: int, token_hash: bytes) -> None:
    """One more token that opens the same link, as tokens that were sent are not known any more."""
    tokens = chat_magic_tokens
    tx.conn.execute(insert(tokens).values(token_hash=token_hash, magic_session_id=link_id, created_at=tx.now))
    mine = tokens.c.magic_session_id == link_id
    newest = select(tokens.c.token_hash).where(mine).order_by(tokens.c.created_at.desc(), tokens.c.token_hash)
    kept = list(tx.conn.execute(newest.limit(MORE_TOKENS)).scalars())
    tx.conn.execute(delete(tokens).where(mine, tokens.c.token_hash.not_in(kept)))


def extend(tx: Writing, link_id: int, expires_at: Micros) -> None:
    """Let it live until then; never shorter than it would."""
    tx.conn.execute(
        update(chat_magic_sessions)
        .where(chat_magic_sessions.c.id == link_id, chat_magic_sessions.c.expires_at < expires_at)
        .values(expires_at=expires_at)
    )


def for_notifications(tx: Reading, customer_id: int, job_id: int) -> Standing | None:
    mine = select(notification_links.c.magic_session_id).where(
        notification_links.c.customer_id == customer_id, notification_links.c.job_id == job_id
    )
    return _standing(tx, _standings().where(chat_magic_sessions.c.id.in_(mine)))


def use_for_notifications(tx: Writing, customer_id: int, job_id: int, link_id: int) -> None:
    dialect_insert = sqlite.insert if tx.dialect == "sqlite" else postgresql.insert
    statement = dialect_insert(notification_links).values(
        customer_id=customer_id, job_id=job_id, magic_session_id=link_id
    )
    tx.conn.execute(
        statement.on_conflict_do_update(
            index_elements=["customer_id", "job_id"], set_={"magic_session_id": link_id}
        )
    )


def holds_link(tx: Reading, customer_id: int, job_id: int, sent_in: Collection[DeliveryStatus]) -> bool:
    """Whether some link of theirs that was not withdrawn was opened, or has a delivery in such a state."""
    sent = select(deliveries.c.magic_session_id).where(deliveries.c.status.in_(sent_in))
    reached = or_(
        chat_magic_sessions.c.use_count > 0,
        chat_magic_sessions.c.id.in_(
            sent.where(deliveries.c.magic_session_id == chat_magic_sessions.c.id).correlate(
                chat_magic_sessions
            )
        ),
    )
    found = select(chat_magic_sessions.c.id).where(
        chat_magic_sessions.c.job_id == job_id,
        chat_magic_sessions.c.customer_id == customer_id,
        chat_magic_sessions.c.revoked_at.is_(None),
        reached,
    )
    return tx.conn.execute(found.limit(1)).first() is not None


def revoke(tx: Writing, link_id: int) -> bool:
    """Whether there was something left to revoke. Its cookies stay, to be told why they open nothing."""
    revoked = tx.conn.execute(
        update(chat_magic_sessions)
        .where(chat_magic_sessions.c.id == link_id, chat_magic_sessions.c.revoked_at.is_(None))
        .values(revoked_at=tx.now)
    )
    return revoked.rowcount > 0


def revoke_everything(tx: Writing) -> None:
    tx.conn.execute(
        update(chat_magic_sessions)
        .where(chat_magic_sessions.c.revoked_at.is_(None))
        .values(revoked_at=tx.now)
    )


def sweep(tx: Writing) -> None:
    """Forget cookies that ran out long ago. The links themselves stay: an expired one can be renewed."""
    tx.conn.execute(delete(customer_cookies).where(customer_cookies.c.expires_at <= tx.now - TOLD_FOR))


def _standings() -> Select[Any]:
    return select(
        chat_magic_sessions,
        customers.c.name.label("customer_name"),
        jobs.c.status.label("job_status"),
        users.c.name.label("creator_name"),
        users.c.role.label("creator_role"),
    ).select_from(
        chat_magic_sessions.join(customers, customers.c.id == chat_magic_sessions.c.customer_id)
        .join(jobs, jobs.c.id == chat_magic_sessions.c.job_id)
        .outerjoin(users, users.c.id == chat_magic_sessions.c.created_by)
    )


def _standing(tx: Reading, chosen: Select[Any]) -> Standing | None:
    row = tx.conn.execute(chosen).first()
    return _made(row) if row else None


def _made(row: AnyRow) -> Standing:
    return Standing(_link(row), row.customer_name, JobStatus(row.job_status))


def _link(row: AnyRow) -> Link:
    creator = Person(row.created_by, row.creator_name, Role(row.creator_role)) if row.created_by else None
    return Link(
        id=row.id,
        job_id=row.job_id,
        customer_id=row.customer_id,
        created_by=creator,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        last_ip=row.last_ip,
        last_user_agent=row.last_user_agent,
        use_count=row.use_count,
    )
