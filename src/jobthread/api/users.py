"""Staff accounts."""

from typing import Any

from litestar import Response
from msgspec import UNSET

from jobthread import policy
from jobthread.actions import passwords, people
from jobthread.api import encoding, fields, people_shapes
from jobthread.api.calls import Asked, Calls, Nothing, Who, answer
from jobthread.errors import Forbidden, LastAdmin, NotFound, Taken
from jobthread.store import people as store

calls = Calls()


@calls.add(
    "GET",
    "/api/users",
    Who.STAFF,
    query=people_shapes.UsersQuery,
    answers={200: people_shapes.Users},
    errors=(Forbidden,),
)
async def list_users(asked: Asked[None, people_shapes.UsersQuery]) -> Response[bytes]:
    """Active staff, to choose participants from; `all=true` (admins): also those who were deactivated."""
    if asked.query.all and not policy.may_administer(asked.staff):
        raise Forbidden
    found = await asked.parts.db.read(store.all_staff if asked.query.all else store.active_staff)
    return answer(people_shapes.Users([encoding.user(staff) for staff in found]))


@calls.add(
    "POST",
    "/api/users",
    Who.STAFF,
    body=people_shapes.NewUser,
    answers={201: people_shapes.User},
    errors=(Forbidden, Taken),
)
async def create_user(asked: Asked[people_shapes.NewUser, Nothing]) -> Response[bytes]:
    """Add a member of staff; without a password the account cannot sign in yet."""
    _check_admin(asked)
    new = asked.body
    name, email = fields.line(new.name, "name"), fields.email(new.email, "email")
    password_hash = await passwords.hashed(new.password) if new.password is not None else None
    added = await asked.parts.db.write(
        lambda tx: people.add_user(tx, asked.by, name, email, new.role, password_hash)
    )
    return answer(encoding.user(added), 201)


@calls.add(
    "PATCH",
    "/api/users/{user_id:int}",
    Who.STAFF,
    body=people_shapes.UserChange,
    answers={200: people_shapes.User},
    errors=(Forbidden, NotFound, LastAdmin, Taken),
)
async def change_user(asked: Asked[people_shapes.UserChange, Nothing]) -> Response[bytes]:
    """Change name, e-mail, role, password, or deactivate; a deactivated person is out at once."""
    _check_admin(asked)
    user_id = asked.id("user_id")
    changes = await _changes(asked.body)
    changed = await asked.parts.db.write(lambda tx: people.change_user(tx, asked.by, user_id, changes))
    return answer(encoding.user(changed))


async def _changes(asked: people_shapes.UserChange) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if asked.name is not UNSET:
        changes["name"] = fields.line(asked.name, "name")
    if asked.email is not UNSET:
        changes["email"] = fields.email(asked.email, "email")
    if asked.role is not UNSET:
        changes["role"] = asked.role
    if asked.active is not UNSET:
        changes["active"] = asked.active
    if asked.password is not UNSET:
        changes["password_hash"] = await passwords.hashed(asked.password)
    return changes


def _check_admin(asked: Asked[Any, Any]) -> None:
    if not policy.may_administer(asked.staff):
        raise Forbidden
