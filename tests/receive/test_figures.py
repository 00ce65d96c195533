"""Figures of mails that came in: how many landed, and why others did not."""

from collections import Counter

from tests.cast import Cast
from tests.receive.post import by_lmtp, carols, customers_thread, mail

Figures = Counter[tuple[str, str]]


def figures(cast: Cast) -> Figures:
    """By outcome and reason."""
    found: Figures = Counter()
    for line in cast.stranger().get("/metrics").text.splitlines():
        if line.startswith("jobthread_mails_received_total{"):
            _, outcome, _, reason, rest = line.split('"')
            found[outcome, reason] = int(float(rest.strip("} ")))
    return found


def test_mails_are_counted_by_what_became_of_them_and_why(cast: Cast) -> None:
    to = carols(cast, customers_thread(cast))
    before = figures(cast)
    landing = mail(to)
    for raw in (landing, landing, mail(to, "Mine!", sender="mallory@example.com")):
        by_lmtp(cast.serving, raw, to)
    by_lmtp(cast.serving, mail(to, "I am away", Auto_Submitted="auto-replied"), to)
    by_lmtp(cast.serving, mail(to, " "), to)
    assert figures(cast) - before == {
        ("landed", ""): 1,
        ("repeated", ""): 1,
        ("refused", "other_sender"): 1,
        ("automatic", "auto_submitted"): 1,
        ("unreadable", "nothing_to_read"): 1,
    }


def test_a_mail_that_could_not_be_taken_is_counted_as_such(cast: Cast) -> None:
    to = carols(cast, customers_thread(cast))
    before, patience = figures(cast), cast.serving.db.patience
    cast.serving.db.patience = 0
    try:
        assert by_lmtp(cast.serving, mail(to), to) == [451]
    finally:
        cast.serving.db.patience = patience
    assert (figures(cast) - before)["not_taken", "Unavailable"] == 1
