"""Whether the server lives, whether it can serve, and what figures it shows to whom."""

import time
from pathlib import Path

import pytest
from sqlalchemy import text

from jobthread.actions import links
from jobthread.entities import Channel, DeliveryStatus
from jobthread.store import outbox, schema
from jobthread.store.database import Writing
from tests import postgres, serving
from tests.api.refusing import ABSENT, identical
from tests.cast import Cast, gather, ok, refused
from tests.live.listening import listening
from tests.serving import browser, wait_until


def test_the_server_says_that_it_lives_and_that_it_is_ready_to_anybody(cast: Cast) -> None:
    http = cast.stranger()
    for path in ("/healthz", "/readyz"):
        answer = http.get(path)
        assert isinstance(ok(answer)["status"], str)
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"


def test_with_another_schema_the_server_lives_but_is_not_ready(cast: Cast) -> None:
    def put(version: str) -> None:
        def written(tx: Writing) -> None:
            tx.conn.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": version})

        cast.serving.write(written)

    http = cast.stranger()
    put("9999")
    try:
        answer = http.get("/readyz")
        refused(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        ok(http.get("/healthz"))
    finally:
        put(schema.HEAD)
    ok(http.get("/readyz"))


def test_without_its_database_the_server_lives_and_says_that_it_is_not_ready(tmp_path: Path) -> None:
    cluster = postgres.start_server()
    running = serving.serve(postgres.new_database(cluster), tmp_path)
    try:
        cast = gather(running)
        thread = cast.dora.opens_thread(message={"body": "Before", "client_msg_id": "m1"})
        path = f"/api/chat/threads/{thread['id']}/messages"
        postgres.stop(cluster)
        http = browser(running)
        refused(http.get("/readyz"), 503, "unavailable")
        ok(http.get("/healthz"))
        for answer in (cast.dora.get(path), cast.dora.post(path, {"body": "During", "client_msg_id": "m2"})):
            refused(answer, 503, "unavailable")
            assert int(answer.headers["retry-after"]) > 0
        postgres.start(cluster)
        wait_until(lambda: http.get("/readyz").status_code == 200)
        said = [
            cast.dora.post(path, {"body": body, "client_msg_id": i})
            for body, i in (("Before", "m1"), ("During", "m2"))
        ]
        assert [answer.status_code for answer in said] == [200, 201]
    finally:
        running.stop()
        postgres.remove(cluster)


# --- figures --------------------------------------------------------------------------------------


def test_where_figures_are_not_asked_for_there_is_no_such_address(cast: Cast) -> None:
    identical(cast.stranger().get("/metrics"), cast.stranger().get("/nothing"))
    refused(cast.ada.get("/metrics"), 404, "not_found")


def test_figures_count_by_route_and_hold_no_name_number_or_address(strict_cast: Cast) -> None:
    cast = strict_cast
    before = figures(cast)
    thread = cast.dora.opens_thread(subject="Plover")
    link = cast.dora.sends_link(cast.boiler)
    carol = cast.opens(link)
    carol.writes("Xyzzy")
    for _ in range(3):
        refused(cast.dora.get(f"/api/chat/threads/{ABSENT}"), 404, "not_found")
        refused(cast.dora.get(f"/api/nothing/{ABSENT}"), 404, "not_found")
    after = figures(cast)

    def more(name: str) -> float:
        return after[name] - before.get(name, 0)

    of_threads = 'method="GET",route="/api/chat/threads/{thread_id}",status="404"'
    assert more(f"jobthread_requests_total{{{of_threads}}}") == 3
    assert more('jobthread_requests_total{method="GET",route="-",status="404"}') == 3
    opened = 'method="POST",route="/api/chat/threads"'
    assert more(f'jobthread_requests_total{{{opened},status="201"}}') == 1
    assert more(f"jobthread_request_seconds_count{{{opened}}}") == 1
    wait_until(lambda: figures(cast)["jobthread_waiting_writes"] == 0)
    told = " ".join(after)
    for personal in (
        "Plover",
        "Xyzzy",
        "Carol",
        "Dora",
        "example.com",
        "+1202",
        str(ABSENT),
        link["url"][-43:],
    ):
        assert personal not in told
    assert f"/{thread['id']}" not in told


def test_figures_count_deliveries_as_they_stand_now(strict_cast: Cast) -> None:
    issuing = strict_cast.serving.parts.issuing

    def queued_and_claimed(tx: Writing) -> outbox.Claimed:
        links.issue(tx, strict_cast.dora.by, issuing, strict_cast.boiler.ref.id, [Channel.EMAIL], None)
        [claimed] = outbox.claim(tx, 1, 60_000_000)
        return claimed

    def counted() -> dict[str, float]:
        found = figures(strict_cast)
        return {status: found[f'jobthread_deliveries{{status="{status}"}}'] for status in DeliveryStatus}

    claimed = strict_cast.serving.write(queued_and_claimed)
    assert counted() == {"queued": 0, "sending": 1, "sent": 0, "delivered": 0, "failed": 0, "cancelled": 0}
    strict_cast.serving.write(lambda tx: outbox.sent(tx, claimed.delivery, "by hand"))
    assert counted() == {"queued": 0, "sending": 0, "sent": 1, "delivered": 0, "failed": 0, "cancelled": 0}


def test_open_streams_are_counted_and_not_taken_for_slow_answers(strict_cast: Cast) -> None:
    streams = {"staff": 'jobthread_streams{of="staff"}', "customers": 'jobthread_streams{of="customers"}'}
    slow = 'jobthread_request_seconds_sum{method="GET",route="/api/chat/events"}'
    asked_at = time.monotonic()
    with listening(strict_cast.tom):
        answered_within = time.monotonic() - asked_at
        assert figures(strict_cast)[streams["staff"]] == 1
    wait_until(lambda: figures(strict_cast)[streams["staff"]] == 0)
    wait_until(lambda: slow in figures(strict_cast))
    found = figures(strict_cast)
    assert found[slow] <= answered_within
    assert found[streams["customers"]] == 0
    assert found["jobthread_streams_cut_total"] == 0


def figures(cast: Cast) -> dict[str, float]:
    answer = cast.stranger().get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_whether_it_lives_is_asked_and_not_told(cast: Cast, path: str) -> None:
    refused(cast.stranger().post(path), 405, "method_not_allowed")
