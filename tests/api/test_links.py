"""Magic links: made and withdrawn by the office, opening one job to one customer for a while."""

import base64
import hashlib
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx2
from sqlalchemy import select

from jobthread.actions import links as link_actions
from jobthread.entities import Channel, SeenJob
from jobthread.store import links, outbox
from jobthread.store.database import Writing
from jobthread.store.tables import chat_magic_sessions, deliveries
from tests.api.at_rest import at_rest, rows_at_rest
from tests.api.refusing import ABSENT, all_invalid, identical, invalid
from tests.cast import Cast, Colleague, CustomerAtHome, exchange_of, ok, refused
from tests.serving import wait_until

EXCHANGE = "/api/chat/customer/session"


def token_of(link: dict[str, Any]) -> str:
    token: str = exchange_of(link["url"])["token"]
    return token


def opening(cast: Cast, link: dict[str, Any], **changed: Any) -> httpx2.Response:
    return cast.stranger(**{"User-Agent": "Phone"}).post(EXCHANGE, json=exchange_of(link["url"]) | changed)


def path_of(job: SeenJob, more: str = "customer-session") -> str:
    return f"/api/chat/jobs/{job.ref.id}/{more}"


def links_of(who: Colleague, job: SeenJob) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(who.get(path_of(job, "customer-sessions")))["sessions"]
    return found


def invited(who: Colleague, job: SeenJob) -> bool:
    told: bool = ok(who.get(path_of(job, "customer-sessions")))["customer_invited"]
    return told


def moment(text: str) -> datetime:
    assert text.endswith("Z")
    assert len(text) == len("2026-11-23T08:15:30.250Z")
    return datetime.fromisoformat(text)


def in_hand(cast: Cast, job: SeenJob | None = None, **asked: Any) -> dict[str, Any]:
    """A link that was made, and not sent."""
    return cast.dora.sends_link(job or cast.boiler, **({"channels": []} | asked))


def settled(cast: Cast, job: SeenJob) -> None:
    """All that was to be sent has been sent."""
    wait_until(
        lambda: {d["status"] for link in links_of(cast.dora, job) for d in link["deliveries"]} <= {"sent"}
    )


def shut_out(customer: CustomerAtHome, code: str) -> None:
    """With the cookie, nothing is read and nothing written any more, and the cookie's holder is told why."""
    refused(customer.http.get(customer.path), 401, code)
    refused(customer.http.post(f"{customer.path}/read"), 401, code)
    refused(customer.http.post(f"{customer.path}/messages", json={"body": "Hello?"}), 401, code)


# --- the customer's thread ------------------------------------------------------------------------


def test_a_job_gets_one_open_thread_with_its_customer_unless_a_subject_is_given(cast: Cast) -> None:
    path = path_of(cast.boiler, "customer-thread")
    first = ok(cast.dora.post(path), 201)
    assert (first["subject"], first["visibility"], first["job"]["id"]) == (
        "Boiler off",
        "customer_visible",
        cast.boiler.ref.id,
    )
    assert ok(cast.dan.post(path, {}), 200)["id"] == first["id"]
    second = ok(cast.dan.post(path, {"subject": "The bill", "participant_ids": [cast.tom.id]}), 201)
    assert (second["subject"], [p["name"] for p in second["participants"]]) == ("The bill", ["Dan", "Tom"])
    assert ok(cast.dora.post(path), 200)["id"] == second["id"], "the one with the newest activity"
    for thread in (first, second):
        ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
    assert ok(cast.dora.post(path), 201)["id"] not in (first["id"], second["id"])


def test_an_internal_thread_of_the_job_is_never_taken_for_the_customers(cast: Cast) -> None:
    internal = cast.dora.opens_thread(job=cast.boiler)
    assert ok(cast.dora.post(path_of(cast.boiler, "customer-thread")), 201)["id"] != internal["id"]


# --- making one -----------------------------------------------------------------------------------


def test_a_link_goes_to_every_contact_that_the_customer_has(cast: Cast) -> None:
    link = cast.dora.sends_link(cast.boiler)
    sent = [(d["channel"], d["to"], d["status"]) for d in link["deliveries"]]
    assert sent == [("email", "carol@example.com", "queued"), ("sms", "+12025550101", "queued")]
    assert [d["channel"] for d in cast.dora.sends_link(cast.roof)["deliveries"]] == ["email"]
    assert in_hand(cast)["deliveries"] == []
    only = cast.dora.sends_link(cast.boiler, channels=["sms", "sms"])
    assert [d["channel"] for d in only["deliveries"]] == ["sms"]
    assert set(link) == {"session_id", "url", "expires_at", "deliveries"}


def test_a_links_address_holds_its_job_and_256_random_bits(cast: Cast) -> None:
    links = [in_hand(cast) for _ in range(3)]
    for link in links:
        token = token_of(link)
        beginning = f"{cast.serving.settings.base_url}/customer/chat?jobId={cast.boiler.ref.id}&token="
        assert link["url"] == beginning + token
        assert len(base64.urlsafe_b64decode(token + "=")) == 32
    assert len({token_of(link) for link in links}) == 3


def test_a_link_lasts_seven_days_or_as_long_as_is_asked(cast: Cast) -> None:
    now = moment(cast.dora.opens_thread()["created_at"])
    for link, lasts in (
        (in_hand(cast), timedelta(days=7)),
        (in_hand(cast, expires_in_hours=1), timedelta(hours=1)),
        (in_hand(cast, expires_in_hours=2160), timedelta(days=90)),
    ):
        assert timedelta(0) <= moment(link["expires_at"]) - now - lasts < timedelta(seconds=30)


def test_a_link_always_opens_a_conversation(cast: Cast) -> None:
    assert cast.opens(in_hand(cast)).view()["thread"]["subject"] == "Boiler off"
    in_hand(cast)
    [thread] = ok(cast.dan.get("/api/chat/threads"))["threads"]
    ok(cast.dan.post(f"/api/chat/threads/{thread['id']}/close"))
    assert cast.opens(in_hand(cast)).view()["thread"]["id"] != thread["id"]


def test_the_thread_notes_that_a_link_was_sent_and_not_that_one_was_made(cast: Cast) -> None:
    in_hand(cast)
    [thread] = ok(cast.dora.get("/api/chat/threads"))["threads"]
    assert thread["last_seq"] == 1
    cast.dan.sends_link(cast.boiler, channels=["email"])
    note = cast.dora.reads(thread)[-1]
    assert (note["event"], note["sender"]["name"]) == ({"type": "link_sent", "people": []}, "Dan")
    assert ok(cast.dora.get("/api/chat/unread-count"))["unread_count"] == 0


def test_no_link_is_made_for_a_closed_job(cast: Cast) -> None:
    ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"status": "closed"}))
    refused(cast.dora.post(path_of(cast.boiler), {"channels": []}), 409, "job_closed")


def test_what_is_no_link_is_refused(cast: Cast) -> None:
    all_invalid(
        lambda body: cast.dora.post(path_of(cast.roof), body),
        [
            ("channels", {"channels": ["sms"]}),
            ("channels", {"channels": ["email", "sms"]}),
            ("channels[0]", {"channels": ["pigeon"]}),
            ("channels", {"channels": "email"}),
            ("expires_in_hours", {"expires_in_hours": 0}),
            ("expires_in_hours", {"expires_in_hours": 2161}),
            ("hours", {"hours": 24}),
        ],
    )
    all_invalid(
        lambda body: cast.dora.post(path_of(cast.roof, "customer-thread"), body),
        [
            ("subject", {"subject": " "}),
            ("participant_ids", {"subject": "Roof", "participant_ids": [ABSENT]}),
            ("visibility", {"visibility": "internal"}),
        ],
    )
    assert links_of(cast.dora, cast.roof) == []
    assert ok(cast.dora.get("/api/chat/threads"))["threads"] == []


def test_only_the_office_has_to_do_with_links(cast: Cast) -> None:
    link = in_hand(cast)
    revoking = f"/api/chat/customer-sessions/{link['session_id']}"
    calls = [("POST", "customer-thread"), ("POST", "customer-session"), ("GET", "customer-sessions")]
    carol = cast.opens(link)
    absent = cast.boiler.ref.id + ABSENT
    for method, name in calls:
        refused(cast.tom.http.request(method, path_of(cast.boiler, name)), 403, "forbidden")
        hidden = cast.tara.http.request(method, path_of(cast.boiler, name))
        refused(hidden, 404, "not_found")
        identical(hidden, cast.dora.http.request(method, f"/api/chat/jobs/{absent}/{name}"))
        refused(carol.http.request(method, path_of(cast.boiler, name)), 401, "not_authenticated")
    refused(cast.tom.delete(revoking), 403, "forbidden")
    identical(cast.tara.delete(revoking), cast.dora.delete(f"/api/chat/customer-sessions/{ABSENT}"))
    refused(carol.http.delete(revoking), 401, "not_authenticated")
    carol.view()


# --- what is kept of it ---------------------------------------------------------------------------


def test_only_the_hash_of_a_token_rests_anywhere(cast: Cast) -> None:
    link = cast.dora.sends_link(cast.boiler)
    token = token_of(link)
    carol = cast.opens(link)
    refused(opening(cast, link, job_id=cast.roof.ref.id), 401, "link_invalid")
    cookie = carol.http.cookies[f"jobthread_job_{cast.boiler.ref.id}"]
    settled(cast, cast.boiler)
    sealed = cast.serving.read(lambda tx: tx.conn.execute(select(deliveries.c.sealed_token)).scalars().all())
    assert sealed == [None, None], "what was sent is not even kept sealed"
    kept = at_rest(cast.serving)
    assert b"carol@example.com" in kept
    for secret in (token, cookie):
        assert len(secret) == 43
        assert secret.encode() not in kept
        assert base64.urlsafe_b64decode(secret + "=") not in kept
        assert hashlib.sha256(secret.encode()).digest() in kept
    shown = cast.ada.get("/api/audit").text + cast.ada.get(path_of(cast.boiler, "customer-sessions")).text
    assert token not in shown
    assert cookie not in shown


def test_a_token_that_waits_to_be_sent_is_sealed(cast: Cast) -> None:
    def queued_and_claimed(tx: Writing) -> str:
        """So that nobody sends it meanwhile."""
        issuing = cast.serving.parts.issuing
        issued = link_actions.issue(tx, cast.dora.by, issuing, cast.roof.ref.id, [Channel.EMAIL], None)
        [claimed] = outbox.claim(tx, 1, 60_000_000)
        assert claimed.sealed_token is not None
        assert issued.url.endswith(issuing.seal.open(claimed.sealed_token))
        return issued.url

    token = token_of({"url": cast.serving.write(queued_and_claimed)})
    assert token.encode() not in at_rest(cast.serving)


def test_the_list_says_who_made_each_link_and_who_opened_it(cast: Cast) -> None:
    first, second = cast.dora.sends_link(cast.boiler), in_hand(cast)
    in_hand(cast, cast.roof)
    settled(cast, cast.boiler)
    for agent in ("Phone", "Tablet\tof Carol"):
        ok(cast.stranger(**{"User-Agent": agent}).post(EXCHANGE, json=exchange_of(first["url"])))
    newest, oldest = links_of(cast.dan, cast.boiler)
    assert (newest["session_id"], oldest["session_id"]) == (second["session_id"], first["session_id"])
    assert oldest == {
        "session_id": first["session_id"],
        "created_by": {"id": cast.dora.id, "name": "Dora"},
        "created_at": oldest["created_at"],
        "expires_at": first["expires_at"],
        "revoked_at": None,
        "last_used_at": oldest["last_used_at"],
        "last_ip": "127.0.0.1",
        "last_user_agent": "Tablet of Carol",
        "use_count": 2,
        "deliveries": oldest["deliveries"],
    }
    told = [(d["id"], d["channel"], d["to"], d["status"], d["error"]) for d in oldest["deliveries"]]
    ids = [d["id"] for d in first["deliveries"]]
    assert told == [
        (ids[0], "email", "carol@example.com", "sent", None),
        (ids[1], "sms", "+12025550101", "sent", None),
    ]
    assert all(moment(d["sent_at"]) >= moment(oldest["created_at"]) for d in oldest["deliveries"])
    assert moment(oldest["created_at"]) < moment(oldest["last_used_at"])
    never = {name: newest[name] for name in ("last_used_at", "last_ip", "last_user_agent", "use_count")}
    assert never == {"last_used_at": None, "last_ip": None, "last_user_agent": None, "use_count": 0}


def test_a_link_scanner_that_merely_looks_changes_nothing(cast: Cast) -> None:
    link = cast.dora.sends_link(cast.boiler)
    settled(cast, cast.boiler)
    before = rows_at_rest(cast.serving)
    scanner = cast.stranger()
    address = httpx2.URL(link["url"])
    for method in ("GET", "HEAD"):
        scanner.request(method, address.path, params=address.params)
        scanner.request(method, EXCHANGE, params=address.params)
        scanner.request(method, "/api/chat/customer/link", params=address.params)
    assert not scanner.cookies
    assert rows_at_rest(cast.serving) == before


# --- opening one ----------------------------------------------------------------------------------


def test_a_link_can_be_opened_again_and_on_another_phone(cast: Cast) -> None:
    link = in_hand(cast)
    first, second, third = (cast.opens(link) for _ in range(3))
    for carol in (first, second, third):
        carol.view()
    assert links_of(cast.dora, cast.boiler)[0]["use_count"] == 3


def test_a_link_opens_its_own_job_and_no_other(cast: Cast) -> None:
    link = in_hand(cast)
    other = ok(
        cast.dora.post("/api/jobs", {"title": "Boiler again", "customer": {"id": cast.boiler.customer.id}}),
        201,
    )
    unknown = opening(cast, link, token="A" * 43)
    refused(unknown, 401, "link_invalid")
    for job_id in (cast.roof.ref.id, other["id"], ABSENT):
        identical(opening(cast, link, job_id=job_id), unknown)
    for token in (token_of(link)[:-1], token_of(link).lower(), " " + token_of(link), "é", "\0"):
        identical(opening(cast, link, token=token), unknown)


def exchanged(cast: Cast, path: str, body: Any) -> httpx2.Response:
    return cast.stranger().post(path, json=body)


def test_what_is_no_exchange_is_refused(cast: Cast) -> None:
    good = exchange_of(in_hand(cast)["url"])
    for path in (EXCHANGE, "/api/chat/customer/link"):
        all_invalid(
            partial(exchanged, cast, path),
            [
                ("token", {"job_id": good["job_id"]}),
                ("job_id", {"token": good["token"]}),
                ("token", good | {"token": ""}),
                ("token", good | {"token": "x" * 201}),
                ("job_id", good | {"job_id": str(good["job_id"])}),
                ("job_id", good | {"job_id": 0}),
                ("jobId", good | {"jobId": good["job_id"]}),
            ],
        )


# --- how it ends ----------------------------------------------------------------------------------


def test_a_link_and_its_cookies_end_when_it_expires(cast: Cast) -> None:
    link = in_hand(cast)
    carol = cast.opens(link)
    bearer = cast.stranger(Authorization=f"Bearer {token_of(link)}")
    cast.serving.clock.pass_time(days=7, seconds=-60)
    ok(opening(cast, link))
    carol.view()
    ok(bearer.get(carol.path))
    cast.serving.clock.pass_time(seconds=61)
    refused(opening(cast, link), 401, "link_expired")
    refused(bearer.get(carol.path), 401, "link_expired")
    shut_out(carol, "link_expired")
    refused(bearer.post(f"{carol.path}/messages", json={"body": "Hello?"}), 401, "link_expired")


def test_a_withdrawn_link_ends_at_once_with_every_cookie_and_no_other_link_does(cast: Cast) -> None:
    link, other = in_hand(cast), in_hand(cast)
    phone, tablet, elsewhere = cast.opens(link), cast.opens(link), cast.opens(other)
    bearer = cast.stranger(Authorization=f"Bearer {token_of(link)}")
    for carol in (phone, tablet, elsewhere):
        carol.view()
    ok(bearer.get(phone.path))
    ok(cast.dan.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    shut_out(phone, "link_revoked")
    shut_out(tablet, "link_revoked")
    refused(bearer.get(phone.path), 401, "link_revoked")
    refused(opening(cast, link), 401, "link_revoked")
    elsewhere.view()
    ok(opening(cast, other))
    when = {one["session_id"]: one["revoked_at"] for one in links_of(cast.dora, cast.boiler)}
    assert when[other["session_id"]] is None
    cast.serving.clock.pass_time(hours=1)
    ok(cast.dan.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    assert links_of(cast.dora, cast.boiler)[1]["revoked_at"] == when[link["session_id"]] is not None
    assert len(ok(cast.ada.get("/api/audit", action="link_revoked"))["entries"]) == 1


def test_a_closed_job_shuts_its_links_until_it_is_active_again(cast: Cast) -> None:
    link, roof = in_hand(cast), cast.opens(in_hand(cast, cast.roof))
    carol = cast.opens(link)
    carol.view()
    path = f"/api/jobs/{cast.boiler.ref.id}"
    ok(cast.dora.patch(path, {"status": "closed"}))
    shut_out(carol, "job_inactive")
    refused(opening(cast, link), 401, "job_inactive")
    roof.view()
    ok(cast.dora.patch(path, {"status": "active"}))
    carol.view()
    ok(opening(cast, link))


def test_of_several_reasons_the_one_that_lasts_is_told(cast: Cast) -> None:
    revoked, expired = in_hand(cast), in_hand(cast)
    revoked_cookie, expired_cookie = cast.opens(revoked), cast.opens(expired)
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{revoked['session_id']}"), 204)
    cast.serving.clock.pass_time(days=8)
    ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"status": "closed"}))
    refused(opening(cast, revoked), 401, "link_revoked")
    refused(opening(cast, expired), 401, "job_inactive")
    shut_out(revoked_cookie, "link_revoked")
    shut_out(expired_cookie, "job_inactive")


def test_only_a_cookie_that_nobody_was_given_is_not_known(cast: Cast) -> None:
    link = in_hand(cast)
    carol = cast.opens(link)
    unknown = cast.stranger(Cookie=f"jobthread_job_{carol.job_id}={token_of(link)}")
    shut_out(CustomerAtHome(carol.job_id, unknown), "not_authenticated")
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{link['session_id']}"), 204)
    shut_out(CustomerAtHome(carol.job_id, unknown), "not_authenticated")


def test_why_a_cookie_ended_is_told_for_a_month_and_then_forgotten(cast: Cast) -> None:
    withdrawn, lasting = in_hand(cast), in_hand(cast, expires_in_hours=24 * 60)
    carol, elsewhere = cast.opens(withdrawn), cast.opens(lasting)
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{withdrawn['session_id']}"), 204)
    for days, code in ((36, "link_revoked"), (2, "not_authenticated")):
        cast.serving.clock.pass_time(days=days)
        cast.serving.write(links.sweep)
        cast.serving.parts.callers.forget()
        shut_out(carol, code)
        elsewhere.view()


def test_the_links_of_a_job_are_not_found_by_what_is_no_id(cast: Cast) -> None:
    in_hand(cast)
    kept = cast.serving.read(lambda tx: tx.conn.execute(select(chat_magic_sessions)).one())
    assert len(kept.token_hash) == 32
    for wrong in ("0", "-1", str(2**63), "9" * 30, "boiler"):
        refused(cast.dora.get(f"/api/chat/jobs/{wrong}/customer-sessions"), 404, "not_found")
        refused(cast.dora.delete(f"/api/chat/customer-sessions/{wrong}"), 404, "not_found")
    invalid(cast.dora.get(path_of(cast.boiler, "customer-sessions"), limit=5), "limit")


def test_a_customer_is_invited_by_a_link_that_was_sent_or_opened_and_not_withdrawn(cast: Cast) -> None:
    assert not invited(cast.dora, cast.boiler)
    copied = cast.dora.sends_link(cast.boiler, channels=[])
    assert not invited(cast.dora, cast.boiler)
    ok(opening(cast, copied))
    assert invited(cast.dora, cast.boiler)
    sent = cast.dora.sends_link(cast.roof, channels=["email"])
    assert invited(cast.dora, cast.roof)
    ok(cast.dora.delete(f"/api/chat/customer-sessions/{sent['session_id']}"), 204)
    assert not invited(cast.dora, cast.roof)
