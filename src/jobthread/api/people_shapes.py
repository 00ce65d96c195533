"""Staff, customers and jobs, as staff and server tell each other of them."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from jobthread import entities as e
from jobthread.api.wire import Asking, Cursor, Email, Id, Ids, Limit, Moment, Name, Phone, Query
from jobthread.entities import JobStatus, Role, ThreadStatus, Visibility

# --- people ---------------------------------------------------------------------------------------


class User(Struct):
    id: int
    name: str
    email: str | None
    role: Role
    active: bool


class UserAnswer(Struct):
    user: User


class Users(Struct):
    users: list[User]


class Login(Asking):
    email: Annotated[str, Meta(min_length=1, max_length=254, examples=["dora@example.com"])]
    password: Annotated[str, Meta(min_length=1, max_length=1024, examples=["demo"])]


class PasswordChange(Asking):
    current: Annotated[str, Meta(max_length=1024)]
    new: Annotated[str, Meta(min_length=8, max_length=256)]


class NewUser(Asking):
    name: Name
    email: Email
    role: Role
    password: Annotated[str, Meta(min_length=8, max_length=256)] | None = None


class UserChange(Asking):
    name: Name | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    password: Annotated[str, Meta(min_length=8, max_length=256)] | UnsetType = UNSET


class UsersQuery(Asking):
    all: Annotated[bool, Meta(description="Also those who were deactivated; for admins")] = False


class Person(Struct):
    id: int
    name: str
    role: Role


class Named(Struct):
    id: int
    name: str


# --- customers and jobs ---------------------------------------------------------------------------


class Customer(Struct):
    id: int
    name: str
    email: str | None
    phone: str | None
    sms_stopped: Annotated[bool, Meta(description="The number asked for no more texts: none goes to it")]
    sms_stopped_since: Moment | None


class Customers(Struct):
    customers: list[Customer]
    next_cursor: str | None


class CustomersQuery(Asking):
    q: Query = ""
    cursor: Cursor | None = None
    limit: Limit = 50


class CustomerChange(Asking):
    name: Name | UnsetType = UNSET
    email: Email | None | UnsetType = UNSET
    phone: Phone | None | UnsetType = UNSET


class ConsentNote(Asking):
    note: Annotated[Name, Meta(description="How the customer said so", examples=["Asked on the phone"])]


class ConsentEntry(Struct):
    """From then on texts to the number were stopped, or wanted again."""

    number: str
    state: e.ConsentState
    at: Moment
    how: e.ConsentHow
    note: Annotated[str, Meta(description="The word that was texted, the provider's error, or staff's note")]
    by: Named | None


class ConsentHistory(Struct):
    entries: list[ConsentEntry]


class JobRef(Struct):
    id: int
    reference: str
    title: str
    status: JobStatus
    customer_name: str


class JobThread(Struct):
    id: int
    subject: str
    visibility: Visibility
    status: ThreadStatus
    unread_count: int
    needs_reply: bool


class Job(Struct):
    id: int
    reference: str
    title: str
    status: JobStatus
    customer_name: str
    customer: Customer
    assignees: list[Person]
    scheduled_at: Moment | None
    external_id: str | None
    threads: list[JobThread]


class Jobs(Struct):
    jobs: list[Job]
    next_cursor: str | None


class JobsQuery(Asking):
    q: Query = ""
    status: Literal["active", "closed", "all"] = "all"
    cursor: Cursor | None = None
    limit: Limit = 50


class JobCustomer(Asking):
    """Either a known customer's id, or a new one's name and contacts."""

    id: Id | None = None
    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None


class NewJob(Asking):
    title: Name
    customer: JobCustomer
    reference: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    assignee_ids: Ids = field(default_factory=list)
    scheduled_at: Annotated[datetime, Meta(tz=True)] | None = None
    external_id: Annotated[str, Meta(min_length=1, max_length=100)] | None = None


class JobChange(Asking):
    reference: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    title: Name | UnsetType = UNSET
    status: JobStatus | UnsetType = UNSET
    assignee_ids: Ids | UnsetType = UNSET
    scheduled_at: Annotated[datetime, Meta(tz=True)] | None | UnsetType = UNSET
    external_id: Annotated[str, Meta(min_length=1, max_length=100)] | None | UnsetType = UNSET
