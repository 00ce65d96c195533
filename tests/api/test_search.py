"""The search: words in subjects and messages, whatever they are made of, in the caller's sight only."""

from typing import Any

from tests.api.refusing import invalid
from tests.cast import Cast, Colleague, ok


def found(who: Colleague, query: str) -> list[str]:
    """The subjects of the threads found, by name."""
    listed = ok(who.get("/api/chat/threads", status="all", q=query))["threads"]
    return sorted(thread["subject"] for thread in listed)


def test_search_looks_in_subjects_and_in_every_message(cast: Cast) -> None:
    by_subject = cast.dora.opens_thread(subject="Copper pipes")
    by_message = cast.dora.opens_thread(subject="Kitchen", message={"body": "The pipe is of copper."})
    cast.dora.writes(by_message, "Is it?")
    cast.dora.writes(by_subject, "They leak.")
    ok(cast.dora.post(f"/api/chat/threads/{by_message['id']}/close"))
    assert found(cast.dora, "copper") == ["Copper pipes", "Kitchen"]
    assert found(cast.dora, "leak") == ["Copper pipes"]
    assert found(cast.dora, "zinc") == []
    assert ok(cast.dora.get("/api/chat/threads", q="kitchen"))["threads"] == [], (
        "closed ones only if asked for"
    )


def test_all_words_must_stand_in_one_subject_or_in_one_message(cast: Cast) -> None:
    thread = cast.dora.opens_thread(subject="Copper", message={"body": "pipe under the sink"})
    cast.dora.writes(thread, "valve above the boiler")
    assert found(cast.dora, "sink pipe") == ["Copper"]
    assert found(cast.dora, "boiler valve above") == ["Copper"]
    assert found(cast.dora, "copper pipe") == found(cast.dora, "pipe valve") == []


def test_search_does_not_mind_case_accents_or_how_letters_are_written(cast: Cast) -> None:
    for subject in (
        "Ärger mit Öl",
        "Café de flore",
        "STRASSE",
        "Ёлка",
        "ΟΔΟΣ",
        "İstanbul",
        "ﬁlter Nr. １２３",
        "ᏣᎳᎩ",
        "ボイラー",
    ):
        cast.dora.opens_thread(subject=subject)
    for query, subject in [
        ("arger ol", "Ärger mit Öl"),
        ("ÄRGER", "Ärger mit Öl"),
        ("cafe", "Café de flore"),
        ("CAFE\u0301 FLORE", "Café de flore"),
        ("straße", "STRASSE"),
        ("елка", "Ёлка"),
        ("οδός", "ΟΔΟΣ"),
        ("istanbul", "İstanbul"),
        ("filter 123", "ﬁlter Nr. １２３"),
        ("ꮳꮃꭹ", "ᏣᎳᎩ"),
        ("ボイ", "ボイラー"),
    ]:
        assert found(cast.dora, query) == [subject], query


def test_search_finds_the_beginnings_of_words_and_not_their_middles(cast: Cast) -> None:
    cast.dora.opens_thread(subject="Thermostat 4711-B", message={"body": "see boiler_room.jpg"})
    for query in (
        "t",
        "thermo",
        "THERMOSTAT",
        "47",
        "4711 b",
        "4711-B",
        "boil",
        "room",
        "room.jpg",
        "see boil",
    ):
        assert found(cast.dora, query) == ["Thermostat 4711-B"], query
    for query in ("stat", "711", "thermostats", "oiler"):
        assert found(cast.dora, query) == [], query


def test_words_are_never_a_query_language(cast: Cast) -> None:
    cast.dora.opens_thread(subject="Both", message={"body": "a copper pipe"})
    cast.dora.opens_thread(subject="One", message={"body": "copper"})
    cast.dora.opens_thread(subject="Odd", message={"body": "near or not: pipe and copper, words' end"})
    both = ["Both", "Odd"]
    for query, subjects in [
        ('"copper pipe"', both),
        ('"pipe copper', both),
        ("copper* pipe*", both),
        ("copper & !pipe", both),
        ("copper -pipe", both),
        ("copper | pipe", both),
        ("copper <-> pipe", both),
        ("(copper ^ pipe)", both),
        ("copper:* ; pipe:A", both),
        ("'copper' 'pipe'", both),
        ("cop:per", []),
        ("copper OR pipe", ["Odd"]),
        ("copper NOT pipe", ["Odd"]),
        ("copper AND pipe", ["Odd"]),
        ("NEAR(copper pipe)", ["Odd"]),
        ("NEAR(copper pipe, 2)", []),
        ("words:copper", ["Odd"]),
        ("{words}: copper", ["Odd"]),
        ("rowid:1", []),
        ("copper'; DELETE FROM chat_threads; --", []),
        ("copper\\", ["Both", "Odd", "One"]),
        ("copper\0", ["Both", "Odd", "One"]),
        ("c_pper", []),
        ("co%er", []),
        ('"', []),
        ("*", []),
        (":", []),
        ("&", []),
        ("!", []),
        ("'", []),
        ("%", []),
        ("_", []),
        ("😀", []),
        ("   ", ["Both", "Odd", "One"]),
    ]:
        assert found(cast.dora, query) == subjects, query


def test_an_internal_line_is_never_found_by_others(cast: Cast) -> None:
    toms = cast.tom.opens_thread(subject="Secretum", message={"body": "arcanum"}, job=cast.boiler)
    for query in ("secretum", "arcanum"):
        seen = {who.name: bool(found(who, query)) for who in cast.everyone}
        assert seen == {"Ada": True, "Dora": False, "Dan": False, "Tom": True, "Tara": False}
    ok(cast.ada.post(f"/api/chat/threads/{toms['id']}/participants", {"user_ids": [cast.tara.id]}))
    assert found(cast.tara, "arcanum") == ["Secretum"]
    ok(cast.tara.delete(f"/api/chat/threads/{toms['id']}/participants/{cast.tara.id}"), 204)
    assert found(cast.tara, "arcanum") == found(cast.tara, "secretum") == []
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    invalid(carol.http.get(carol.path, params={"q": "arcanum"}), "q")


def hits(who: Colleague, query: str, **params: Any) -> dict[str, tuple[int, str] | None]:
    """Subject → (seq, excerpt), of each thread found."""
    listed = ok(who.get("/api/chat/threads", status="all", q=query, **params))["threads"]
    assert all(thread["hit"] is None or set(thread["hit"]) == {"seq", "excerpt"} for thread in listed)
    return {thread["subject"]: thread["hit"] and tuple(thread["hit"].values()) for thread in listed}


def test_a_thread_found_shows_its_newest_message_that_holds_all_the_words(cast: Cast) -> None:
    cast.dora.opens_thread(subject="Copper", message={"body": "nothing of it here"})
    kitchen = cast.dora.opens_thread(subject="Kitchen", message={"body": "A copper pipe"})
    cast.dora.writes(kitchen, "The pipe\n\nis of  <b>Kupfer</b>: COPPER!")
    cast.dora.writes(kitchen, "A pipe of zinc")
    cast.dora.writes(kitchen, "No copper any more")
    assert hits(cast.dora, "copper") == {"Kitchen": (5, "No copper any more"), "Copper": None}
    assert hits(cast.dora, "pipe cop") == {"Kitchen": (3, "The pipe is of <b>Kupfer</b>: COPPER!")}
    assert hits(cast.dora, "copper", limit=1) == {"Kitchen": (5, "No copper any more")}
    assert hits(cast.dora, "") == hits(cast.dora, "  ") == {"Kitchen": None, "Copper": None}
    assert ok(cast.dora.get(f"/api/chat/threads/{kitchen['id']}"))["hit"] is None


def test_of_a_long_message_the_words_around_the_first_one_found_are_shown(cast: Cast) -> None:
    around = "before " * 30 + "the Ventil-Öl is here " + "after " * 200
    cast.dora.opens_thread(subject="Long", message={"body": around.strip()})
    [(_, shown)] = [hit for hit in hits(cast.dora, "ol").values() if hit]
    assert len(shown) <= 160
    assert "…before before" in shown
    assert "the Ventil-Öl is here after" in shown
    assert shown.endswith(" after…")


def test_a_hit_is_only_of_a_thread_in_sight(cast: Cast) -> None:
    toms = cast.tom.opens_thread(cast.tara, subject="Toms", message={"body": "arcanum of Tom"})
    cast.dora.opens_thread(cast.tara, subject="Doras", message={"body": "arcanum of Dora"})
    toms_hit, doras_hit = {"Toms": (2, "arcanum of Tom")}, {"Doras": (2, "arcanum of Dora")}
    assert hits(cast.tara, "arcanum") == hits(cast.ada, "arcanum") == toms_hit | doras_hit
    assert (hits(cast.tom, "arcanum"), hits(cast.dora, "arcanum")) == (toms_hit, doras_hit)
    ok(cast.tara.delete(f"/api/chat/threads/{toms['id']}/participants/{cast.tara.id}"), 204)
    assert hits(cast.tara, "arcanum") == doras_hit
    assert hits(cast.dan, "arcanum") == {}


def test_what_a_customer_writes_is_found_by_the_office_and_who_takes_part(cast: Cast) -> None:
    carol = cast.opens(cast.dora.sends_link(cast.boiler, channels=[]))
    carol.writes("The kettle sings.")
    seen = {who.name: bool(found(who, "kettle")) for who in cast.everyone}
    assert seen == {"Ada": True, "Dora": True, "Dan": True, "Tom": False, "Tara": False}
