"""Whoever has the page before their eyes is not told; whoever is gone is."""

from tests.cast import Colleague, ok
from tests.deliver.telling import Town
from tests.serving import browser

TOM, CAROL = "tom@example.com", "carol@example.com"


def test_whoever_is_there_is_not_told_until_they_are_gone(town: Town) -> None:
    town.shows(town.cast.tom, True)
    town.cast.dora.writes(town.talk(town.cast.tom), "Can you be there at nine?")
    town.passes(seconds=85)
    assert town.told() == []
    town.passes(seconds=10)
    assert town.told() == [TOM]


def test_a_page_that_says_it_again_goes_on_being_there(town: Town) -> None:
    town.shows(town.cast.tom, True)
    town.cast.dora.writes(town.talk(town.cast.tom), "Can you be there at nine?")
    for _ in range(6):
        town.passes(seconds=45)
        town.shows(town.cast.tom, True)
    assert town.told() == []


def test_a_page_that_is_hidden_is_gone_at_once(town: Town) -> None:
    town.shows(town.cast.tom, True)
    town.cast.dora.writes(town.talk(town.cast.tom), "Can you be there at nine?")
    town.passes(seconds=65)
    assert town.told() == []
    town.shows(town.cast.tom, False)
    assert town.told() == [TOM]


def test_putting_the_page_away_does_not_shorten_the_minute(town: Town) -> None:
    town.shows(town.cast.tom, True)
    town.cast.dora.writes(town.talk(town.cast.tom), "Can you be there at nine?")
    town.passes(seconds=30)
    town.shows(town.cast.tom, False)
    town.passes(seconds=20)
    assert town.told() == []
    town.passes(seconds=15)
    assert town.told() == [TOM]


def test_what_was_read_while_one_was_there_is_never_told(town: Town) -> None:
    thread = town.talk(town.cast.tom)
    town.shows(town.cast.tom, True)
    town.cast.dora.writes(thread, "Can you be there at nine?")
    town.passes(seconds=61)
    town.marks_read(town.cast.tom, thread)
    town.shows(town.cast.tom, False)
    town.passes(hours=1)
    assert town.told() == []


def test_one_browser_that_is_put_away_does_not_end_another(town: Town) -> None:
    """Tom's phone goes into his pocket; the desk is in front of him still."""
    phone = Colleague(town.cast.tom.staff, browser(town.server))
    ok(phone.http.post("/api/auth/login", json={"email": TOM, "password": "a wrench in the works"}))
    town.shows(town.cast.tom, True)
    town.shows(phone, True)
    town.cast.dora.writes(town.talk(town.cast.tom), "Can you be there at nine?")
    town.passes(seconds=65)
    town.shows(phone, False)
    assert town.told() == []
    town.shows(town.cast.tom, False)
    assert town.told() == [TOM]


def test_one_who_is_there_says_nothing_about_another(town: Town) -> None:
    town.shows(town.cast.tara, True)
    town.cast.dora.writes(town.talk(town.cast.tom, town.cast.tara), "Who can be there at nine?")
    town.passes(seconds=61)
    assert town.told() == [TOM]


def test_a_customer_on_their_page_is_not_told_until_they_are_gone(town: Town) -> None:
    carol = town.carol_comes_in()
    town.shows(carol, True)
    town.cast.dora.writes(carol.view()["thread"], "Tom will come at nine.")
    town.passes(seconds=80)
    assert town.told() == []
    town.shows(carol, False)
    assert town.told() == [CAROL]


def test_presence_outlives_the_process_that_heard_of_it(town: Town) -> None:
    """It stands in the database: every server on it knows."""
    town.shows(town.cast.tom, True)
    town.server.parts.callers.forget()
    [row] = town.server.read(
        lambda tx: tx.conn.exec_driver_sql("SELECT reader_kind, reader_id, job_id FROM presence").all()
    )
    assert tuple(row) == ("staff", town.cast.tom.id, 0)
