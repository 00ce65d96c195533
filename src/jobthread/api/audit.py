"""The audit trail, for admins."""

from litestar import Response

from jobthread import policy
from jobthread.api import encoding, trail_shapes
from jobthread.api.calls import Asked, Calls, Who, answer
from jobthread.errors import Forbidden
from jobthread.store import audit

calls = Calls()


@calls.add(
    "GET",
    "/api/audit",
    Who.STAFF,
    query=trail_shapes.AuditQuery,
    answers={200: trail_shapes.AuditEntries},
    errors=(Forbidden,),
)
async def list_audit(asked: Asked[None, trail_shapes.AuditQuery]) -> Response[bytes]:
    """Who did what, when and from where, newest first."""
    if not policy.may_administer(asked.staff):
        raise Forbidden
    wanted, query = _filter(asked.query), asked.query
    page = await asked.parts.db.read(lambda tx: audit.page(tx, wanted, query.cursor, query.limit))
    return answer(trail_shapes.AuditEntries([encoding.audit_entry(e) for e in page.items], page.next_cursor))


def _filter(query: trail_shapes.AuditQuery) -> audit.AuditFilter:
    kind, _, number = (query.actor or "").rpartition(":")
    named = query.actor is not None and number.isdigit()
    return audit.AuditFilter(
        actor_kind=kind or ("staff" if named else query.actor),
        actor_id=int(number) if named else None,
        action=query.action,
        job_id=query.job_id,
        thread_id=query.thread_id,
    )
