"""Web push: notices on people's devices, handed to their browsers' push services (RFC 8030)."""

import asyncio
import ipaddress
import json
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

import httpx2

from jobthread.deliver.outgoing import DeliveryFailed, Outgoing, Send
from jobthread.deliver.push_encryption import Keys, decoded, encrypted, proof
from jobthread.store import push as store
from jobthread.store.database import Database
from jobthread.store.push import Subscription

TIMEOUT_SECONDS = 10.0
LIVES_SECONDS = 24 * 3600
"""How long a push service keeps it for a device that is switched off."""
LONGEST_BODY = 3000
"""Bytes: push services take 4,096, encrypted."""

Resolve = Callable[[str, int], Awaitable[str]]


class _End(Enum):
    TAKEN = auto()
    GONE = auto()
    NOT_NOW = auto()


@dataclass(frozen=True, slots=True)
class Service:
    """`contact` is whom a push service may write to; `resolve` finds an address that may be connected to."""

    db: Database
    keys: Keys
    contact: str
    resolve: Resolve


def through(service: Service) -> Send:
    """To all devices of one person: one that takes it is enough. Those that are gone are forgotten."""

    async def send(outgoing: Outgoing) -> str:
        user_id = int(outgoing.to)
        devices = await service.db.read(lambda tx: store.of_staff(tx, user_id))
        ends = await asyncio.gather(*(_posted(service, device, outgoing) for device in devices))
        gone = [device.id for device, end in zip(devices, ends, strict=True) if end is _End.GONE]
        if gone:
            await service.db.write(lambda tx: store.drop(tx, gone))
        if _End.TAKEN in ends:
            return f"{ends.count(_End.TAKEN)} devices"
        if _End.NOT_NOW in ends:
            raise DeliveryFailed("the push service of their browser does not answer", permanent=False)
        raise DeliveryFailed("none of their devices takes notifications any more", permanent=True)

    return send


async def public_address(host: str, port: int) -> str:
    """An address of the host. Raises `OSError` where one is not public: endpoints come from clients."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(ipaddress.ip_address(one).is_global for one in addresses):
        raise OSError("not a public address")
    return addresses[0]


async def _posted(service: Service, device: Subscription, outgoing: Outgoing) -> _End:
    try:
        status = await _post(service, device, outgoing)
    except (OSError, httpx2.HTTPError):
        return _End.NOT_NOW
    if 200 <= status < 300:
        return _End.TAKEN
    # 404 and 410: the browser has unsubscribed. 400, 401 and 403: it was made for another key than ours.
    return _End.GONE if status in (400, 401, 403, 404, 410) else _End.NOT_NOW


async def _post(service: Service, device: Subscription, outgoing: Outgoing) -> int:
    at = urlsplit(device.endpoint)
    host, port = at.hostname or "", at.port or (443 if at.scheme == "https" else 80)
    address = await service.resolve(host, port)
    # What was checked is what is connected to: a name may answer otherwise the next time.
    literal = f"[{address}]" if ":" in address else address
    url = at._replace(netloc=f"{literal}:{port}").geturl()
    headers = {
        "Host": at.netloc,
        "Authorization": proof(service.keys, device.endpoint, service.contact, int(time.time())),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(LIVES_SECONDS),
        "Urgency": "high",
        # A later one of the same conversation takes its place, where the device has not been reached yet.
        "Topic": outgoing.conversation[:32] or outgoing.key[:32],
    }
    body = encrypted(_payload(outgoing), decoded(device.p256dh), decoded(device.auth))
    async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
        answer = await client.post(
            url, content=body, headers=headers, extensions={"sni_hostname": host}, follow_redirects=False
        )
        return answer.status_code


def _payload(outgoing: Outgoing) -> bytes:
    told = {"title": outgoing.subject, "body": outgoing.text, "path": outgoing.path, "badge": outgoing.badge}
    body = json.dumps(told, ensure_ascii=False).encode()
    if len(body) > LONGEST_BODY:
        told["body"] = outgoing.text[: LONGEST_BODY // 8]
        body = json.dumps(told, ensure_ascii=False).encode()
    return body
