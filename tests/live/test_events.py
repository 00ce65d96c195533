"""Streams: who hears what, at once, and how a stream that broke off goes on."""

from tests.cast import Cast, ok
from tests.live.listening import listening
from tests.serving import wait_until


def test_a_message_is_heard_at_once_by_all_who_see_the_thread(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.dora) as dora, listening(cast.tom) as tom, listening(cast.ada) as ada:
        said = cast.tom.writes(thread, "The valve is seized.")
        for ears in (dora, tom, ada):
            heard = ears.waits_for("message.created")
            assert heard == {"thread_id": thread["id"], "message": said}


def test_outsiders_hear_nothing_while_a_busy_thread_runs_beside_them(cast: Cast) -> None:
    busy, own = cast.dora.opens_thread(cast.tom), cast.dora.opens_thread(cast.tara)
    shown = cast.dora.opens_thread(cast.tom, visibility="customer_visible", job=cast.boiler)
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    with listening(cast.tara) as tara, listening(cast.dan) as dan, listening(carol) as customer:
        for n in range(20):
            cast.tom.writes(busy, f"canary {n}")
            ok(cast.dora.post(f"/api/chat/threads/{busy['id']}/read"))
            ok(cast.tom.post(f"/api/chat/threads/{busy['id']}/typing"), 204)
        cast.dora.writes(own, "for Tara")
        cast.dora.writes(shown, "for Carol")
        tara.waits_for_body("for Tara")
        dan.waits_for_body("for Carol")
        customer.waits_for_body("for Carol")
        for ears in (tara, dan, customer):
            assert not [line for line in ears.lines if "canary" in line]
            assert not [event for event in ears.events if event.data.get("thread_id") == busy["id"]]
            assert {event.name for event in ears.events} <= {"message.created", "unread"}


def test_a_customer_hears_the_customers_shape_and_no_more(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, visibility="customer_visible", job=cast.boiler)
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    with listening(carol) as ears:
        cast.tom.writes(thread, "On my way.")
        heard = ears.waits_for_body("On my way.")
        [shown] = [m for m in carol.view()["messages"] if m["body"] == "On my way."]
        assert heard == {"thread_id": thread["id"], "message": shown}
        ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/close"))
        closed = ears.waits_for("thread.updated", lambda data: data["thread"]["status"] == "closed")
        assert closed["thread"] == carol.view(thread_id=thread["id"])["thread"]
        assert "participants" not in closed["thread"]
        ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/read"))
        ok(carol.http.post(f"{carol.path}/read", json={"thread_id": thread["id"]}))
        ears.waits_for("read")
        assert [data["user_id"] for data in ears.heard("read")] == [cast.boiler.customer.id]
        assert ears.heard("unread") == []


def test_reading_is_told_to_staff_and_the_badge_follows(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.dora) as dora, listening(cast.tom) as tom:
        cast.dora.writes(thread, "Hello")
        tom.waits_for("unread", lambda data: data["unread_count"] == 1)
        ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read"))
        tom.waits_for("unread", lambda data: data["unread_count"] == 0)
        read = {"thread_id": thread["id"], "kind": "staff", "user_id": cast.tom.id, "last_read_seq": 2}
        assert dora.waits_for("read") == read
        own = tom.waits_for("thread.updated")
        assert own["thread"] == ok(cast.tom.get(f"/api/chat/threads/{thread['id']}"))
        assert dora.heard("thread.updated") == []


def test_a_count_that_is_what_it_was_is_told_again(cast: Cast) -> None:
    """A page may have looked while it was another."""
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom) as tom:
        first = cast.dora.writes(thread, "one")
        tom.waits_for("unread")
        cast.dora.writes(thread, "two")
        ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read", {"up_to_seq": first["seq"]}))
        wait_until(lambda: len(tom.heard("unread")) >= 2)
        assert tom.heard("unread")[-1] == {"unread_count": 1}


def test_staff_hear_that_the_customer_has_read_it(cast: Cast) -> None:
    thread = cast.dora.opens_thread(visibility="customer_visible", job=cast.boiler)
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    with listening(cast.dora) as dora:
        said = cast.dora.writes(thread, "We come at two.")
        ok(carol.http.post(f"{carol.path}/read"))
        told = dora.waits_for("read", lambda data: data["kind"] == "customer")
        read = {"user_id": cast.boiler.customer.id, "last_read_seq": said["seq"]}
        assert told == {"thread_id": thread["id"], "kind": "customer"} | read


def test_typing_is_told_to_the_others_and_stored_nowhere(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, visibility="customer_visible", job=cast.boiler)
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    with listening(cast.dora) as dora, listening(cast.tom) as tom, listening(carol) as customer:
        ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/typing"), 204)
        ok(carol.http.post(f"{carol.path}/typing"), 204)
        toms, carols = ({"thread_id": thread["id"], "name": name} for name in ("Tom", "Carol"))
        dora.waits_for("typing", carols.__eq__)
        tom.waits_for("typing", carols.__eq__)
        customer.waits_for("typing", toms.__eq__)
        assert dora.heard("typing") == [toms, carols]
        assert tom.heard("typing") == [carols]
        assert customer.heard("typing") == [toms]
    assert len(cast.tom.reads(thread)) == 1


def test_who_joins_is_shown_the_thread_and_who_leaves_loses_it(cast: Cast) -> None:
    thread = cast.dora.opens_thread()
    with listening(cast.tara) as tara, listening(cast.dora) as dora:
        path = f"/api/chat/threads/{thread['id']}/participants"
        joined = ok(cast.dora.post(path, {"user_ids": [cast.tara.id]}))
        shown = tara.waits_for("thread.created")["thread"]
        assert shown == ok(cast.tara.get(f"/api/chat/threads/{thread['id']}"))
        updated = dora.waits_for("thread.updated")["thread"]
        assert updated["participants"] == joined["participants"]
        ok(cast.dora.delete(f"{path}/{cast.tara.id}"), 204)
        assert tara.waits_for("thread.removed") == {"thread_id": thread["id"]}
        cast.dora.writes(thread, "She is gone")
        dora.waits_for_body("She is gone")
        assert "She is gone" not in tara.bodies()


def test_what_was_missed_in_a_moment_is_brought_by_the_last_id(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom)
    with listening(cast.tom) as tom:
        cast.dora.writes(thread, "one")
        tom.waits_for_body("one")
    cast.dora.writes(thread, "two")
    cast.dora.writes(thread, "three")
    with listening(cast.tom, last_event_id=tom.last_id) as again:
        again.waits_for_body("three")
        assert again.bodies() == ["two", "three"]
        assert again.heard("resync") == []


def test_what_was_missed_and_may_not_be_seen_any_more_is_not_brought(cast: Cast) -> None:
    thread, other = cast.dora.opens_thread(cast.tom), cast.dora.opens_thread(cast.tom)
    with listening(cast.tom) as tom:
        cast.dora.writes(thread, "one")
        tom.waits_for_body("one")
    cast.dora.writes(thread, "two")
    ok(cast.dora.delete(f"/api/chat/threads/{thread['id']}/participants/{cast.tom.id}"), 204)
    cast.dora.writes(other, "three")
    with listening(cast.tom, last_event_id=tom.last_id) as again:
        again.waits_for_body("three")
        again.waits_for("thread.removed")
        assert again.bodies() == ["three"]


def test_an_id_of_another_start_or_of_nobody_is_answered_by_one_resync(cast: Cast) -> None:
    for unknown in ("0badf00d-1", "nonsense", "-", "", "0badf00d-" + "9" * 400):
        with listening(cast.tom, last_event_id=unknown) as tom:
            tom.waits_for("resync")
            assert [event.name for event in tom.events] == ["resync"]


def test_a_renamed_colleague_makes_everybody_look_again(cast: Cast) -> None:
    with listening(cast.tom) as tom:
        ok(cast.ada.patch(f"/api/users/{cast.dora.id}", {"name": "Dora Lind"}))
        tom.waits_for("resync")


def test_a_job_that_changed_changes_its_threads(cast: Cast) -> None:
    thread = cast.dora.opens_thread(cast.tom, job=cast.boiler)
    with listening(cast.tom) as tom, listening(cast.tara) as tara:
        ok(cast.dora.patch(f"/api/jobs/{cast.boiler.ref.id}", {"title": "Boiler cold"}))
        updated = tom.waits_for("thread.updated")["thread"]
        assert updated == ok(cast.tom.get(f"/api/chat/threads/{thread['id']}"))
        assert updated["job"]["title"] == "Boiler cold"
        assert tara.events == []


def test_clients_are_told_to_come_back_at_different_times(cast: Cast) -> None:
    told = set()
    for _ in range(8):
        with listening(cast.tom) as tom:
            [line] = [line for line in tom.lines if line.startswith("retry: ")]
            told.add(int(line.removeprefix("retry: ")))
    assert len(told) > 1
    assert all(1_000 <= one <= 5_000 for one in told)


def test_streams_that_nobody_listens_to_any_more_are_forgotten(cast: Cast) -> None:
    audience = cast.serving.parts.hub.audience
    wait_until(lambda: not audience.all)
    with listening(cast.tom), listening(cast.tom):
        assert len(audience.all) == 2
    wait_until(lambda: not audience.all)
