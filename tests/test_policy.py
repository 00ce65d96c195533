"""The contract's table of who may do what, cell by cell, over every caller and every thread there can be."""

import inspect
from collections.abc import Callable
from itertools import product

import pytest

from jobthread import policy
from jobthread.entities import Caller, Role, Staff, Thread, ThreadStatus, Visibility, Visitor
from jobthread.policy import JobSight, job_sight_of, sees, sight_of

TABLE = """
| | admin | dispatcher | technician | customer |
| --- | --- | --- | --- | --- |
| see an internal thread | all | as participant | as participant | never, in no form |
| see a customer-visible thread | all | all | as participant | those of the link's job |
| create an internal thread | yes | yes | yes | no |
| create a customer-visible thread | yes | yes | no | no |
| write a message | where they see (and so join) | where they see (and so join) | as participant | in the visible threads of the link's job |
| add or remove participants | where they see | where they see | no (may leave) | no |
| close, reopen | where they see | where they see | what they created | a customer's message reopens a closed thread |
| customer threads, magic links, revoking | yes | yes | no | no |
| see jobs | all | all | assigned to them, or linked to a thread they are in | the link's job |
| create and edit jobs, customers | yes | yes | no | no |
| staff accounts, API keys, webhooks, audit log | yes | no | no | no |
"""  # noqa: E501 - the contract's own lines
HEAD, _, *BODY = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.split("\n")[1:-1]]
CELLS = {(row, column): words for row, *cells in BODY for column, words in zip(HEAD[1:], cells, strict=True)}

ME, COLLEAGUE, STRANGER = 1, 2, 3
BOILER, ROOF = 101, 102

# --- everybody, and every thread ------------------------------------------------------------------


def staff(role: Role, *, active: bool = True) -> list[Caller]:
    """A person in that role, and the service account that an API key acts as: their rights are the same."""
    person = Staff(ME, "Me", "me@example.com", role, active, service=False)
    return [person, Staff(ME, "Me", None, role, active, service=True)]


# Their customer ids are the ids of staff: one must never pass for the other.
VISITORS: list[Caller] = [Visitor(ME, "Carol", BOILER, 70, 0), Visitor(COLLEAGUE, "Chris", ROOF, 80, 0)]
CALLERS = {role.value: staff(role) for role in Role} | {"customer": VISITORS}
DEACTIVATED = [gone for role in Role for gone in staff(role, active=False)]

MEMBERS = [frozenset(members) for members in ([], [ME], [COLLEAGUE], [ME, COLLEAGUE])]
THREADS = [
    Thread(
        id=9,
        subject="Need help",
        visibility=visibility,
        status=status,
        job_id=job_id,
        created_by=created_by,
        participant_ids=members,
        last_seq=1,
        message_count=0,
        last_message_seq=None,
        last_sender_kind=None,
        waiting_since=None,
        away_until=None,
    )
    for visibility, status, job_id, created_by, members in product(
        Visibility, ThreadStatus, (None, BOILER, ROOF), (None, ME, COLLEAGUE), MEMBERS
    )
]

# --- what the rows ask, and what the words mean ---------------------------------------------------

Meaning = Callable[[Caller, Thread], bool]

ASKED: dict[str, list[Meaning]] = {
    "see an internal thread": [lambda caller, thread: sees(sight_of(caller), thread)],
    "see a customer-visible thread": [lambda caller, thread: sees(sight_of(caller), thread)],
    "create an internal thread": [lambda caller, _: policy.may_create(caller, Visibility.INTERNAL)],
    "create a customer-visible thread": [
        lambda caller, _: policy.may_create(caller, Visibility.CUSTOMER_VISIBLE)
    ],
    "write a message": [policy.may_write],
    "add or remove participants": [
        policy.may_change_participants,
        lambda caller, thread: policy.may_remove(caller, thread, COLLEAGUE),
        lambda caller, thread: policy.may_remove(caller, thread, STRANGER),
    ],
    "close, reopen": [policy.may_close],
    "customer threads, magic links, revoking": [lambda caller, _: policy.may_invite_customers(caller)],
    "create and edit jobs, customers": [lambda caller, _: policy.may_edit_jobs(caller)],
    "staff accounts, API keys, webhooks, audit log": [lambda caller, _: policy.may_administer(caller)],
}


RULES = {
    *("sight_of", "sees", "job_sight_of"),
    *("may_create", "may_write", "may_change_participants", "may_remove", "may_close"),
    *("may_invite_customers", "may_edit_jobs", "may_administer", "may_claim"),
}
"""Every rule that the policy knows: one that is added has to be put to the table first."""


def taking_part(caller: Caller, thread: Thread) -> bool:
    return isinstance(caller, Staff) and caller.id in thread.participant_ids


def visible_in_the_links_job(caller: Caller, thread: Thread) -> bool:
    open_to_customers = thread.visibility is Visibility.CUSTOMER_VISIBLE
    return isinstance(caller, Visitor) and open_to_customers and thread.job_id == caller.job_id


def where_they_see(caller: Caller, thread: Thread) -> bool:
    """What the first two rows say of this thread."""
    kind = "an internal" if thread.visibility is Visibility.INTERNAL else "a customer-visible"
    column = caller.role.value if isinstance(caller, Staff) else "customer"
    return MEANING[CELLS[f"see {kind} thread", column]](caller, thread)


def what_they_created(caller: Caller, thread: Thread) -> bool:
    """And still take part in: whoever was removed has lost access."""
    return isinstance(caller, Staff) and thread.created_by == caller.id and taking_part(caller, thread)


def _always(caller: Caller, thread: Thread) -> bool:
    return True


def _never(caller: Caller, thread: Thread) -> bool:
    return False


always: Meaning = _always
never: Meaning = _never


MEANING: dict[str, Meaning] = {
    "yes": always,
    "all": always,
    "no": never,
    "never, in no form": never,
    "no (may leave)": never,
    # By writing, that is; customers have no call that closes or reopens.
    "a customer's message reopens a closed thread": never,
    "as participant": taking_part,
    "those of the link's job": visible_in_the_links_job,
    "in the visible threads of the link's job": visible_in_the_links_job,
    "where they see": where_they_see,
    "where they see (and so join)": where_they_see,
    "what they created": what_they_created,
}


def threads_of(row: str) -> list[Thread]:
    kinds = {
        "see an internal thread": [Visibility.INTERNAL],
        "see a customer-visible thread": [Visibility.CUSTOMER_VISIBLE],
    }
    return [thread for thread in THREADS if thread.visibility in kinds.get(row, Visibility)]


# --- the tests ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("row", "column"), [cell for cell in CELLS if cell[0] != "see jobs"])
def test_each_cell_of_the_table_holds(row: str, column: str) -> None:
    means = MEANING[CELLS[row, column]]
    for caller, thread, asked in product(CALLERS[column], threads_of(row), ASKED[row]):
        assert asked(caller, thread) is means(caller, thread), (row, column, caller, thread)


@pytest.mark.parametrize("words", sorted(set(CELLS.values()) & set(MEANING)))
def test_these_threads_put_every_word_of_the_table_to_the_test(words: str) -> None:
    """Words that came out the same for every thread would prove nothing."""
    cells = [(row, column) for (row, column), said in CELLS.items() if said == words]
    answers = {
        MEANING[words](caller, thread)
        for row, column in cells
        for caller, thread in product(CALLERS[column], threads_of(row))
    }
    assert answers == {always: {True}, never: {False}}.get(MEANING[words], {True, False})


@pytest.mark.parametrize("role", list(Role))
def test_jobs_are_seen_as_the_table_says(role: Role) -> None:
    meaning = {
        "all": JobSight(every=True, assigned_or_joined_by=None),
        "assigned to them, or linked to a thread they are in": JobSight(
            every=False, assigned_or_joined_by=ME
        ),
    }
    for caller in staff(role):
        assert isinstance(caller, Staff)
        assert job_sight_of(caller) == meaning[CELLS["see jobs", role.value]]


def test_a_customer_is_shown_nothing_beyond_the_links_job() -> None:
    assert CELLS["see jobs", "customer"] == "the link's job"
    assert [sight_of(visitor).within_job for visitor in VISITORS] == [BOILER, ROOF]


def test_whoever_sees_a_thread_may_leave_it_and_customers_cannot_act_for_staff() -> None:
    for column, callers in CALLERS.items():
        for caller, thread in product(callers, THREADS):
            may_leave = column != "customer" and where_they_see(caller, thread)
            assert policy.may_remove(caller, thread, ME) is may_leave


@pytest.mark.parametrize("row", list(ASKED))
def test_the_deactivated_may_nothing(row: str) -> None:
    for caller, thread, asked in product(DEACTIVATED, THREADS, ASKED[row]):
        assert asked(caller, thread) is False, (row, caller, thread)


def test_the_deactivated_cannot_even_leave_nor_see_a_job() -> None:
    for caller, thread in product(DEACTIVATED, THREADS):
        assert isinstance(caller, Staff)
        assert not policy.may_remove(caller, thread, ME)
        assert job_sight_of(caller) == JobSight(every=False, assigned_or_joined_by=None)


def test_staff_may_claim_what_they_see_and_customers_nothing() -> None:
    """The contract has no row for it: it goes where seeing goes."""
    for caller in [*(one for callers in CALLERS.values() for one in callers), *DEACTIVATED]:
        for thread in THREADS:
            allowed = isinstance(caller, Staff) and sees(sight_of(caller), thread)
            assert policy.may_claim(caller, thread) is allowed


def test_no_row_and_no_rule_is_left_out() -> None:
    assert {row for row, _ in CELLS} == {*ASKED, "see jobs"}
    assert set(HEAD[1:]) == set(CALLERS)
    functions = inspect.getmembers(policy, inspect.isfunction)
    rules = {name for name, rule in functions if rule.__module__ == policy.__name__ and name[0] != "_"}
    assert rules == RULES
