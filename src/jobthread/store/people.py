"""Staff, service accounts and their API keys; customers."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import BigInteger, Select, func, insert, select, update

from jobthread.entities import Customer, Person, Role, SenderKind, Staff
from jobthread.errors import NotFound
from jobthread.store.batches import Answer, Rows, as_json, ask
from jobthread.store.database import AnyRow, Reading, Writing
from jobthread.store.pages import Page, like_words, page_of
from jobthread.store.tables import api_keys, customers, users
from jobthread.store.words import indexed

_STAFF = (users.c.id, users.c.name, users.c.email, users.c.role, users.c.active, users.c.service)
_Staff = tuple[int, str, str | None, Role, bool, bool]
"""What `_STAFF` come as."""
_CUSTOMER = (customers.c.id, customers.c.name, customers.c.email, customers.c.phone)


# --- staff ----------------------------------------------------------------------------------------


def staff(row: AnyRow) -> Staff:
    return Staff(row.id, row.name, row.email, Role(row.role), bool(row.active), bool(row.service))


def person(staff: Staff) -> Person:
    return Person(staff.id, staff.name, staff.role)


def get_staff(tx: Reading, user_id: int) -> Staff:
    row = tx.conn.execute(select(*_STAFF).where(users.c.id == user_id)).first()
    if row is None:
        raise NotFound
    return staff(row)


def active_staff(tx: Reading) -> list[Staff]:
    """The people one can add to a thread: no service accounts."""
    chosen = (
        select(*_STAFF).where(users.c.active, ~users.c.service).order_by(func.lower(users.c.name), users.c.id)
    )
    return [staff(row) for row in tx.conn.execute(chosen)]


def all_staff(tx: Reading) -> list[Staff]:
    chosen = select(*_STAFF).where(~users.c.service).order_by(func.lower(users.c.name), users.c.id)
    return [staff(row) for row in tx.conn.execute(chosen)]


def staff_by_id(tx: Reading, ids: Iterable[int]) -> dict[int, Staff]:
    """Those that there are, active or not."""
    wanted = set(ids)
    return ask_staff_by_id(tx, wanted)() if wanted else {}


def ask_staff_by_id(tx: Reading, ids: Iterable[int]) -> Answer[dict[int, Staff]]:
    found = ask(tx, _by_id, _Staff, rows=as_json([[user_id] for user_id in set(ids)]))
    return lambda: {row[0]: Staff(*row) for row in found()}


def _by_id(dialect: str) -> Select[Any]:
    given = Rows(dialect, {"id": BigInteger()})
    return select(*_STAFF).where(users.c.id.in_(select(given["id"]).select_from(given.table)))


def names(tx: Reading, asked: Iterable[tuple[SenderKind, int]]) -> dict[tuple[SenderKind, int], str]:
    """What staff and customers are called, by their kind and id."""
    wanted: dict[SenderKind, set[int]] = {}
    for kind, one_id in asked:
        wanted.setdefault(kind, set()).add(one_id)
    found: dict[tuple[SenderKind, int], str] = {}
    for kind, table in ((SenderKind.STAFF, users), (SenderKind.CUSTOMER, customers)):
        if ids := wanted.get(kind):
            rows = tx.conn.execute(select(table.c.id, table.c.name).where(table.c.id.in_(sorted(ids))))
            found |= {(kind, row.id): row.name for row in rows}
    return found


def with_password(tx: Reading, email: str) -> tuple[Staff, str] | None:
    """An active person who can sign in, and the hash of the password."""
    row = tx.conn.execute(
        select(*_STAFF, users.c.password_hash).where(
            users.c.email == email.lower(), users.c.active, users.c.password_hash.is_not(None)
        )
    ).first()
    return (staff(row), row.password_hash) if row else None


def email_taken(tx: Reading, email: str) -> bool:
    return tx.conn.execute(select(users.c.id).where(users.c.email == email.lower())).first() is not None


def add_staff(tx: Writing, name: str, email: str | None, role: Role, password_hash: str | None) -> Staff:
    values = {
        "name": name,
        "email": email.lower() if email else None,
        "role": role,
        "password_hash": password_hash,
        "active": True,
        "service": email is None,
        "created_at": tx.now,
    }
    added = tx.conn.execute(insert(users).values(values).returning(users.c.id)).scalar_one()
    return get_staff(tx, added)


def change_staff(tx: Writing, user_id: int, changes: Mapping[str, Any]) -> Staff:
    if changes:
        tx.conn.execute(update(users).where(users.c.id == user_id).values(dict(changes)))
    return get_staff(tx, user_id)


def other_active_admins(tx: Writing, user_id: int) -> int:
    """Locks the admins, so that two of them cannot demote each other at once."""
    others = select(users.c.id).where(
        users.c.role == Role.ADMIN, users.c.active, ~users.c.service, users.c.id != user_id
    )
    return len(tx.conn.execute(others.order_by(users.c.id).with_for_update()).all())


def any_staff(tx: Reading) -> bool:
    return tx.conn.execute(select(users.c.id).where(~users.c.service).limit(1)).first() is not None


# --- API keys -------------------------------------------------------------------------------------


def add_api_key(tx: Writing, name: str, key_hash: bytes, user_id: int) -> None:
    tx.conn.execute(insert(api_keys).values(name=name, key_hash=key_hash, user_id=user_id, created_at=tx.now))


def staff_of_api_key(tx: Reading, key_hash: bytes) -> Staff | None:
    row = tx.conn.execute(
        select(*_STAFF)
        .join(api_keys, api_keys.c.user_id == users.c.id)
        .where(api_keys.c.key_hash == key_hash, api_keys.c.revoked_at.is_(None), users.c.active)
    ).first()
    return staff(row) if row else None


def staff_of_api_keys(tx: Reading, hashes: Collection[bytes]) -> dict[bytes, Staff]:
    rows = tx.conn.execute(
        select(*_STAFF, api_keys.c.key_hash)
        .join(api_keys, api_keys.c.user_id == users.c.id)
        .where(api_keys.c.key_hash.in_(hashes), api_keys.c.revoked_at.is_(None), users.c.active)
    )
    return {bytes(row.key_hash): staff(row) for row in rows}


def revoke_api_key(tx: Writing, name: str) -> int | None:
    """The id of the service user that the key acted as; None where no such key is in force."""
    revoked = (
        update(api_keys)
        .where(api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=tx.now)
        .returning(api_keys.c.user_id)
    )
    return tx.conn.execute(revoked).scalar()


# --- customers ------------------------------------------------------------------------------------


def customer(row: AnyRow) -> Customer:
    return Customer(row.id, row.name, row.email, row.phone)


def get_customer(tx: Reading, customer_id: int) -> Customer:
    row = tx.conn.execute(select(*_CUSTOMER).where(customers.c.id == customer_id)).first()
    if row is None:
        raise NotFound
    return customer(row)


def customer_page(tx: Reading, query: str, cursor: str | None, limit: int) -> Page[Customer]:
    chosen = select(*_CUSTOMER).where(like_words(customers.c.search, query))
    return page_of(tx, chosen, [customers.c.id], cursor, limit, customer)


def add_customer(tx: Writing, name: str, email: str | None, phone: str | None) -> Customer:
    values = {"name": name, "email": email, "phone": phone, "created_at": tx.now}
    values["search"] = _customer_words(name, email, phone)
    added = tx.conn.execute(insert(customers).values(values).returning(customers.c.id)).scalar_one()
    return get_customer(tx, added)


def change_customer(tx: Writing, changed: Customer) -> Customer:
    tx.conn.execute(
        update(customers)
        .where(customers.c.id == changed.id)
        .values(
            name=changed.name,
            email=changed.email,
            phone=changed.phone,
            search=_customer_words(changed.name, changed.email, changed.phone),
        )
    )
    return changed


def _customer_words(*texts: str | None) -> str:
    return indexed(" ".join(text for text in texts if text))
