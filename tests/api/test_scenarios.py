"""The three stories of the brief, each told through the API by everybody in it."""

from tests.cast import Cast, exchange_of, ok, refused


def test_scenario_1_a_technician_needs_guidance(cast: Cast) -> None:
    help_wanted = {
        "visibility": "internal",
        "subject": "Need help at Job #101",
        "participant_ids": [cast.dora.id],
        "message": {"body": "The valve is seized. Replace it, or free it?"},
    }
    thread = ok(cast.tom.post("/api/chat/threads", help_wanted), 201)
    assert [person["name"] for person in thread["participants"]] == ["Dora", "Tom"]

    assert ok(cast.dora.get("/api/chat/unread-count"))["unread_count"] == 1
    [seen] = ok(cast.dora.get("/api/chat/threads"))["threads"]
    assert (seen["subject"], seen["unread_count"]) == ("Need help at Job #101", 1)
    assert cast.dora.reads(seen)[-1]["body"] == "The valve is seized. Replace it, or free it?"

    cast.dora.writes(thread, "Replace it, there is one in your van.")
    assert ok(cast.dora.get("/api/chat/unread-count"))["unread_count"] == 0
    assert ok(cast.tom.get("/api/chat/unread-count"))["unread_count"] == 1
    assert cast.tom.reads(thread)[-1]["body"] == "Replace it, there is one in your van."
    read = ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/read"))
    assert read == {"last_read_seq": 3, "unread_count": 0}

    cast.tom.writes(thread, "Done, it holds.")
    assert ok(cast.tom.post(f"/api/chat/threads/{thread['id']}/close"))["status"] == "closed"
    assert ok(cast.dora.get("/api/chat/threads"))["threads"] == []
    assert not cast.tara.sees(thread)


def test_scenario_2_a_customer_has_a_question(cast: Cast) -> None:
    asked = {
        "visibility": "customer_visible",
        "subject": "Your boiler",
        "participant_ids": [cast.tom.id],
        "job_id": cast.boiler.ref.id,
        "message": {"body": "Tom will come tomorrow."},
    }
    thread = ok(cast.dora.post("/api/chat/threads", asked), 201)
    cast.dora.opens_thread(cast.tom, job=cast.boiler, subject="Carol pays late", message={"body": "Careful."})
    link = cast.dora.sends_link(cast.boiler, channels=["email"])
    assert [(d["channel"], d["to"]) for d in link["deliveries"]] == [("email", "carol@example.com")]

    carol = cast.stranger()
    opened = ok(carol.post("/api/chat/customer/session", json=exchange_of(link["url"])))
    assert opened["customer"] == {"name": "Carol"}
    assert [t["subject"] for t in opened["view"]["threads"]] == ["Your boiler"]
    assert "Tom will come tomorrow." in [m["body"] for m in opened["view"]["messages"]]
    path = f"/api/chat/customer/jobs/{cast.boiler.ref.id}/thread"
    ok(carol.post(f"{path}/messages", json={"body": "At what time?"}), 201)

    for colleague in (cast.dora, cast.tom):
        assert colleague.reads(thread)[-1]["sender"] == {
            "kind": "customer",
            "id": cast.boiler.customer.id,
            "name": "Carol",
        }
    [waiting] = ok(cast.dora.get("/api/chat/threads", needs_reply=True))["threads"]
    assert waiting["id"] == thread["id"]

    cast.tom.writes(thread, "At nine.")
    answer = ok(carol.get(path))["messages"][-1]
    assert (answer["body"], answer["sender"]["name"]) == ("At nine.", "Tom")
    assert ok(cast.dora.get("/api/chat/threads", needs_reply=True))["threads"] == []


def test_scenario_3_a_visit_is_scheduled(cast: Cast) -> None:
    thread = cast.dora.opens_thread(job=cast.roof, subject="Who looks at the roof?")
    assert not cast.tara.sees(thread)
    refused(cast.tara.get(f"/api/jobs/{cast.roof.ref.id}"), 404, "not_found")

    ok(cast.dora.post(f"/api/chat/threads/{thread['id']}/participants", {"user_ids": [cast.tara.id]}))
    cast.dora.writes(thread, "Friday at two?")
    assert ok(cast.tara.get(f"/api/jobs/{cast.roof.ref.id}"))["title"] == "Roof leaks"
    cast.tara.writes(thread, "Friday suits me.")

    changes = {"scheduled_at": "2026-11-27T14:00:00+01:00", "assignee_ids": [cast.tara.id]}
    changed = ok(cast.dora.patch(f"/api/jobs/{cast.roof.ref.id}", changes))
    assert changed["scheduled_at"] == "2026-11-27T13:00:00.000Z"
    assert [person["name"] for person in changed["assignees"]] == ["Tara"]
    assert [t["subject"] for t in changed["threads"]] == ["Who looks at the roof?"]
