"""Whether a webhook comes from the provider that is set up: by its signature, before all else."""

from jobthread.api import decoding
from jobthread.api.caller import Asking, actor
from jobthread.api.parts import Parts
from jobthread.api.texting import Knock
from jobthread.entities import Actor, AuditAction
from jobthread.errors import BadSignature, NotFound
from jobthread.store import audit, limits
from jobthread.store.database import Writing
from jobthread.store.limits import SECOND, Rate

BAD_SIGNATURES = Rate(burst=10, every=6 * SECOND)


async def provider_caller(request: Asking, parts: Parts) -> Actor:
    """Raises `NotFound` where the path's provider is not set up, `BadSignature` for strangers.

    The signature is of the address as the provider knows it, `JOBTHREAD_BASE_URL`: what a proxy in front
    makes of the request does not count.
    """
    by = actor(request, None)
    provider = request.scope["path"].split("/")[3]
    if parts.texting is None or parts.texting.provider != provider:
        raise NotFound
    body = await decoding.read(request)
    if not parts.texting.is_signed(Knock(_url_of(request, parts), body, request.headers)):
        await parts.db.write(lambda tx: _refused(tx, by, parts.limits, provider))
        raise BadSignature
    return by


def _url_of(request: Asking, parts: Parts) -> str:
    query = request.scope["query_string"].decode("latin-1")
    return parts.base_url + request.scope["path"] + (f"?{query}" if query else "")


def _refused(tx: Writing, by: Actor, counted: limits.Limits, provider: str) -> None:
    """Raises `RateLimited` where somebody keeps trying; those tries are not written down one by one."""
    counted.spend(tx, f"bad-signatures-from:{limits.network_of(by.ip)}", BAD_SIGNATURES)
    audit.add(tx, by, AuditAction.WEBHOOK_REFUSED, audit.About("webhook", None), provider=provider)
