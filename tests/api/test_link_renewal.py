"""Asking for a new link with an expired one: it goes to the contact on file, and nobody learns a thing."""

from typing import Any

import httpx2
from sqlalchemy import select

from jobthread import app
from jobthread.deliver import mailbox
from jobthread.entities import SeenJob
from jobthread.store.tables import deliveries
from tests.api.refusing import ABSENT, identical
from tests.cast import Cast, exchange_of, ok, refused
from tests.serving import wait_until


def in_hand(cast: Cast, job: SeenJob | None = None, **asked: Any) -> dict[str, Any]:
    """A link that was made, and not sent."""
    return cast.dora.sends_link(job or cast.boiler, **({"channels": []} | asked))


def links_of(cast: Cast, job: SeenJob) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(cast.dora.get(f"/api/chat/jobs/{job.ref.id}/customer-sessions"))[
        "sessions"
    ]
    return found


def renewal(cast: Cast, link: dict[str, Any], **changed: Any) -> httpx2.Response:
    return cast.stranger().post("/api/chat/customer/link", json=exchange_of(link["url"]) | changed)


def sent_since(cast: Cast, known: int) -> list[tuple[str, str]]:
    """What waits to go out beyond the first `known`: channel and recipient."""
    rows = cast.serving.read(lambda tx: tx.conn.execute(select(deliveries).order_by(deliveries.c.id)).all())
    return [(row.channel, row.recipient) for row in rows[known:]]


def arrived(cast: Cast, job: SeenJob) -> dict[str, Any]:
    """The newest link of a job, out of the mail that brought it."""
    wait_until(lambda: {d["status"] for d in links_of(cast, job)[0]["deliveries"]} == {"sent"})
    [mail, *_] = links_of(cast, job)[0]["deliveries"]
    [file] = app.outbox_folder(cast.serving.settings).glob(f"*-{mail['id']}.eml")
    item = mailbox.one(file.parent, file.name)
    assert item is not None
    assert item.to.endswith(mail["to"] + ">") or item.to == mail["to"]
    return {"url": item.links[0]}


def test_an_expired_link_is_renewed_to_the_contacts_on_file(cast: Cast) -> None:
    link = in_hand(cast)
    cast.serving.clock.pass_time(days=8)
    ok(cast.dora.patch(f"/api/customers/{cast.boiler.customer.id}", {"email": "carol.b@example.com"}))
    answer = renewal(cast, link)
    ok(answer, 202)
    assert "token" not in answer.text
    assert "set-cookie" not in answer.headers
    assert sent_since(cast, 0) == [("email", "carol.b@example.com"), ("sms", "+12025550101")]
    renewed, old = links_of(cast, cast.boiler)
    assert (renewed["created_by"], old["created_by"]["name"]) == (None, "Dora")
    carol = cast.opens(arrived(cast, cast.boiler))
    assert carol.view()["messages"][-1]["event"]["type"] == "link_sent"
    again = cast.stranger().post("/api/chat/customer/session", json=exchange_of(link["url"]))
    refused(again, 401, "link_expired")


def test_renewal_answers_the_same_whatever_is_true_and_sends_nothing_to_the_wrong_ones(cast: Cast) -> None:
    no_contact = ok(cast.dora.post("/api/jobs", {"title": "Gutter", "customer": {"name": "Cleo"}}), 201)
    cleos = ok(cast.dora.post(f"/api/chat/jobs/{no_contact['id']}/customer-session", {}), 201)
    expired, revoked, shut = in_hand(cast), in_hand(cast), in_hand(cast, cast.roof)
    fresh = in_hand(cast, expires_in_hours=1000)
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{revoked['session_id']}"), 204)
    ok(cast.dora.patch(f"/api/jobs/{cast.roof.ref.id}", {"status": "closed"}))
    cast.serving.clock.pass_time(days=8)
    answers = [
        renewal(cast, expired, token="A" * 43),
        renewal(cast, expired, job_id=cast.roof.ref.id),
        renewal(cast, expired, job_id=ABSENT),
        renewal(cast, revoked),
        renewal(cast, shut),
        renewal(cast, fresh),
        renewal(cast, cleos),
    ]
    assert sent_since(cast, 0) == []
    assert len(links_of(cast, cast.boiler)) == 3
    assert len(ok(cast.dora.get(f"/api/chat/jobs/{no_contact['id']}/customer-sessions"))["sessions"]) == 1
    answers.append(renewal(cast, expired))
    assert len(sent_since(cast, 0)) == 2
    answers.append(renewal(cast, expired))
    assert answers[0].status_code == 202
    identical(*answers)


def test_a_link_is_renewed_at_most_once_in_ten_minutes_whichever_is_asked_with(cast: Cast) -> None:
    first, second = in_hand(cast), in_hand(cast)
    other = in_hand(cast, cast.roof)
    cast.serving.clock.pass_time(days=8)
    for link in (first, first, second):
        ok(renewal(cast, link), 202)
    assert len(sent_since(cast, 0)) == 2
    ok(renewal(cast, other), 202)
    assert sent_since(cast, 2) == [("email", "chris@example.com")], "another job has a turn of its own"
    cast.serving.clock.pass_time(seconds=590)
    ok(renewal(cast, second), 202)
    assert len(sent_since(cast, 0)) == 3
    cast.serving.clock.pass_time(seconds=15)
    ok(renewal(cast, second), 202)
    assert len(sent_since(cast, 3)) == 2
