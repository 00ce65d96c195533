"""Every screen there is, in a company with something on each, and words that no line can hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.coming_in import carol_mails
from tests.cast import Cast, ok

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@dataclass(frozen=True)
class Company:
    inside: dict[str, Any]
    """A thread of the team."""
    outside: dict[str, Any]
    """A thread that the customer of the job reads."""
    closed: dict[str, Any]
    job: int
    link: str
    expired_link: str


@dataclass(frozen=True)
class Screen:
    at: str
    """The address: of the staff's app, or a link."""
    shows: str
    """Words by which one knows that it is there."""
    presses: tuple[str, ...] = ()
    """The names of the buttons that lead there from the address."""

    @property
    def name(self) -> str:
        return " > ".join((self.at.split("?")[0], *self.presses))


def furnished(cast: Cast) -> Company:
    """A company in which everything is long."""
    ok(
        cast.ada.patch(
            f"/api/users/{cast.tara.id}", {"name": LONG, "email": f"{LONG[:26].lower()}@example.com"}
        )
    )
    ok(
        cast.dora.patch(
            f"/api/jobs/{cast.boiler.ref.id}", {"title": LONG, "scheduled_at": "2027-01-15T14:00:00Z"}
        )
    )
    carol = ok(cast.dora.get(f"/api/jobs/{cast.boiler.ref.id}"))["customer"]["id"]
    ok(
        cast.dora.patch(
            f"/api/customers/{carol}", {"name": LONG, "email": f"{LONG[:26].lower()}@example.com"}
        )
    )
    inside = cast.tom.opens_thread(cast.dora, cast.ada, cast.tara, job=cast.boiler, subject=LONG * 2)
    outside = cast.dora.opens_thread(cast.tom, job=cast.boiler, subject=LONG, visibility="customer_visible")
    closed = cast.dora.opens_thread(cast.tom, cast.ada, subject="Winter tyres")
    ok(cast.dora.post(f"/api/chat/threads/{closed['id']}/close"))
    link, expired = cast.dora.sends_link(cast.boiler), cast.dora.sends_link(cast.boiler, expires_in_hours=1)
    carol_at_home = cast.opens(link)
    for writer in (cast.tom, cast.dora, cast.tom):
        writer.writes(inside, LONG * 3)
        writer.writes(inside, f"See https://example.com/{LONG}?{LONG}")
        writer.writes(outside, LONG * 3)
    carol_at_home.writes(LONG * 2)
    carol_mails(cast, outside, LONG, sender=f"{LONG[:26].lower()}@example.com")
    return Company(inside, outside, closed, cast.boiler.ref.id, link["url"], expired["url"])


def staff_screens(company: Company) -> list[Screen]:
    """Those of an admin, who sees them all."""
    job, inside = f"/jobs/{company.job}", f"/messages/{company.inside['id']}"
    return [
        Screen("/messages", "Active Chats"),
        Screen("/messages", "Needs reply", ("Filters",)),
        Screen("/messages", "waiting 1 min", ("Waiting 1",)),
        Screen("/messages/new", "Create Thread"),
        Screen("/messages/new", "A thread needs a subject.", ("Create Thread",)),
        Screen(inside, "opened this conversation"),
        Screen(inside, "Leave this thread", ("Thread menu",)),
        Screen(inside, "Cancel", ("Thread menu", "Add people")),
        Screen(inside, "You can still find it", ("Thread menu", "Leave this thread")),
        Screen(f"/messages/{company.outside['id']}", "opened this conversation"),
        Screen(f"/messages/{company.closed['id']}", "Reopen thread"),
        Screen("/messages/999999", "This thread does not exist"),
        Screen("/jobs", "Roof leaks"),
        Screen("/jobs", "Create job", ("New job",)),
        Screen("/jobs", "Create job", ("New job", "Create job")),
        Screen(job, "Chat links"),
        Screen(job, "Scheduled for", ("Edit",)),
        Screen(job, "Links to it then open nothing", ("Close job",)),
        Screen(job, "This holds for all jobs", ("Edit customer",)),
        Screen(job, "Send it by", ("Send Chat Link",)),
        Screen(job, "The link is shown to you", ("Generate Magic Link",)),
        Screen(job, "The customer and everyone chosen", ("New customer thread",)),
        Screen(job, "This cannot be undone.", ("Revoke",)),
        Screen("/jobs/999999", "There is nothing here"),
        Screen("/people", "dora@example.com"),
        Screen("/people", "Create account", ("New person",)),
        Screen("/people", "Create account", ("New person", "Create account")),
        Screen("/people", "Role", ("Edit",)),
        Screen("/people", "Set a password for", ("Set password",)),
        Screen("/people", "This person is signed out everywhere", ("Deactivate",)),
        Screen("/audit", "Chat link made"),
        Screen("/deliveries", "Chat link"),
        Screen("/mails", "In the thread"),
        Screen("/account", "Change password"),
        Screen("/account", "At least 8 characters", ("Change password",)),
        Screen("/messages/0", "There is nothing here"),
    ]


def go_to(page: Page, screen: Screen) -> None:
    """Open it, and wait until it is there as a whole."""
    page.goto(screen.at)
    for name in screen.presses:
        page.get_by_role("button", name=name, exact=True).last.click()
    expect(page.get_by_text(screen.shows).filter(visible=True).first).to_be_visible()
    expect(page.get_by_text("Loading…").filter(visible=True)).to_have_count(0)


def walk(page: Page, screens: list[Screen], faults: Callable[[Page], list[str]]) -> None:
    """Fails with all faults of all screens at once, each with its screen's name."""
    found = []
    for screen in screens:
        try:
            go_to(page, screen)
        except AssertionError as error:
            found.append(f"{screen.name}: does not appear: {error}")
            continue
        found += [f"{screen.name}: {fault}" for fault in faults(page)]
    assert not found, "\n" + "\n".join(found)
