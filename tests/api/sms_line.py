"""A server with a provider of text messages at its side: customers' phones, and the provider's webhooks."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select

from jobthread.entities import SeenJob
from jobthread.store.tables import deliveries
from tests import serving
from tests.cast import Cast, ok
from tests.deliver import providers as p
from tests.deliver.providers import Provider
from tests.serving import Serving, browser, wait_until

US = "http://chat.example.com"
CAROL = "+12025550101"


@dataclass
class Line:
    """The provider, the server, and everybody."""

    provider: Provider
    cast: Cast

    @property
    def serving(self) -> Serving:
        return self.cast.serving

    def http(self) -> httpx2.Client:
        return browser(self.serving, **{"User-Agent": "TwilioProxy/1.1"})

    # --- Twilio's webhooks ------------------------------------------------------------------------

    def text(self, body: str, sender: str = CAROL, sid: str | None = None, **more: str) -> httpx2.Response:
        """A phone texts us, and Twilio tells."""
        form = {
            "MessageSid": sid or f"SM{secrets.token_hex(16)}",
            "AccountSid": p.SID,
            "From": sender,
            "To": p.OUR_NUMBER,
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
        }
        return self.signed("incoming", form | more)

    def receipt(self, sid: str, status: str, code: str = "", ref: str = "") -> httpx2.Response:
        form = {"MessageSid": sid, "MessageStatus": status, "To": CAROL, "ApiVersion": "2010-04-01"}
        query = f"?delivery={ref}" if ref else ""
        return self.signed(f"status{query}", form | ({"ErrorCode": code} if code else {}))

    def signed(self, call: str, form: dict[str, str]) -> httpx2.Response:
        path = f"/api/sms/twilio/{call}"
        signature = p.twilio_signature(US + path, form)
        return self.http().post(path, data=form, headers={"X-Twilio-Signature": signature})

    # --- what staff see ---------------------------------------------------------------------------

    def job(self, job: SeenJob) -> dict[str, Any]:
        found: dict[str, Any] = ok(self.cast.dora.get(f"/api/jobs/{job.ref.id}"))
        return found

    def said(self, job: SeenJob) -> list[dict[str, Any]]:
        """Messages of all customer-visible threads of the job, as Dora reads them."""
        threads = ok(self.cast.dora.get("/api/chat/threads", job_id=job.ref.id, status="all"))["threads"]
        return [m for thread in threads for m in self.cast.dora.reads(thread) if m["kind"] == "message"]

    def delivery(self, job: SeenJob) -> dict[str, Any]:
        """Of the newest link that went by text."""
        links = ok(self.cast.dora.get(f"/api/chat/jobs/{job.ref.id}/customer-sessions"))["sessions"]
        found: dict[str, Any] = next(d for link in links for d in link["deliveries"] if d["channel"] == "sms")
        return found

    def sends_text(self, job: SeenJob) -> str:
        """Dora sends a link by text; answers the provider's name for it."""
        before = len(self.provider.texts)
        self.cast.dora.sends_link(job, channels=["sms"])
        wait_until(lambda: len(self.provider.texts) > before)
        wait_until(lambda: self.delivery(job)["status"] == "sent")
        return self.provider_id(self.delivery(job)["id"])

    def provider_id(self, delivery_id: int) -> str:
        found = select(deliveries.c.provider_id).where(deliveries.c.id == delivery_id)
        return str(self.serving.read(lambda tx: tx.conn.execute(found).scalar())).partition(":")[2]

    def audit(self, action: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ok(self.cast.ada.get("/api/audit", action=action))["entries"]
        return found

    def settled(self) -> None:
        """Until whatever is answered in the background has been."""
        texting = self.serving.parts.texting
        assert texting is not None
        wait_until(lambda: not texting._under_way)


@contextmanager
def served(database_url: str, folder: Path, provider: Provider, sms_url: str) -> Iterator[Serving]:
    running = serving.serve(
        database_url, folder, BASE_URL=US, SMS_URL=sms_url, METRICS="on", COMPANY="Warm & Dry"
    )
    yield running
    provider.released.set()
    running.stop()


def as_json(http: httpx2.Client, path: str, told: dict[str, Any], **headers: str) -> httpx2.Response:
    body = json.dumps(told).encode()
    return http.post(path, content=body, headers={"Content-Type": "application/json"} | headers)
