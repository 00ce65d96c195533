"""Every table of the store, in one file. Moments are integer microseconds since 1970 in UTC."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
Words = TSVECTOR().with_variant(Text(), "sqlite")
"""What search finds a row by. On SQLite the words live in an FTS5 table instead, and this stays null."""


def _id() -> Column[int]:
    return Column("id", Id, primary_key=True)


def _ref(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, Id, ForeignKey(target), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


# --- people ---------------------------------------------------------------------------------------

users = Table(
    "users",
    metadata,
    _id(),
    Column("name", String(200), nullable=False),
    Column("email", String(254), unique=True),
    Column("password_hash", String(200)),
    Column("role", String(20), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("service", Boolean, nullable=False),
    _moment("created_at"),
    sqlite_autoincrement=True,
)

user_sessions = Table(
    "user_sessions",
    metadata,
    _id(),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    _ref("user_id", "users.id"),
    _moment("created_at"),
    _moment("last_seen_at"),
    _moment("expires_at"),
    Column("ip", String(45), nullable=False),
    Column("user_agent", String(400), nullable=False),
    Index(None, "user_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("key_hash", LargeBinary(32), nullable=False, unique=True),
    _ref("user_id", "users.id"),
    _moment("created_at"),
    _moment("revoked_at", nullable=True),
)

customers = Table(
    "customers",
    metadata,
    _id(),
    Column("name", String(200), nullable=False),
    Column("email", String(254)),
    Column("phone", String(20)),
    Column("search", Text, nullable=False),
    _moment("created_at"),
    sqlite_autoincrement=True,
)

# --- jobs -----------------------------------------------------------------------------------------

jobs = Table(
    "jobs",
    metadata,
    _id(),
    Column("reference", String(60), nullable=False, unique=True),
    Column("title", String(200), nullable=False),
    Column("status", String(20), nullable=False),
    _ref("customer_id", "customers.id"),
    _moment("scheduled_at", nullable=True),
    Column("external_id", String(100), unique=True),
    Column("search", Text, nullable=False),
    _moment("created_at"),
    Index(None, "customer_id"),
    Index(None, "status", "id"),
    sqlite_autoincrement=True,
)

job_assignees = Table(
    "job_assignees",
    metadata,
    Column("job_id", Id, ForeignKey("jobs.id"), primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Index(None, "user_id", "job_id"),
)

# --- the chat -------------------------------------------------------------------------------------

chat_threads = Table(
    "chat_threads",
    metadata,
    _id(),
    Column("subject", String(200), nullable=False),
    Column("visibility", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    _ref("job_id", "jobs.id", nullable=True),
    _ref("created_by", "users.id", nullable=True),
    _moment("created_at"),
    _moment("active_at"),
    Column("last_seq", Integer, nullable=False),
    Column("message_count", Integer, nullable=False),
    # Of the newest row that a person wrote; null while there is none.
    Column("last_message_seq", Integer),
    Column("last_sender_kind", String(20)),
    # Of what waits for an answer of staff; all of it goes when one comes.
    _moment("waiting_since", nullable=True),
    _ref("claimed_by", "users.id", nullable=True),
    _moment("claimed_at", nullable=True),
    Column("escalated", Integer, server_default="0", nullable=False),
    # The opening of the office that the customer was told of last.
    _moment("away_until", nullable=True),
    Column("words", Words),
    # The wall begins here: what a customer may see always belongs to a job.
    CheckConstraint("visibility = 'internal' OR job_id IS NOT NULL", name="customer_visible_has_job"),
    Index(None, "status", "active_at", "id"),
    Index(None, "job_id"),
    Index(
        "ix_chat_threads_waiting",
        "waiting_since",
        "id",
        sqlite_where=text("waiting_since IS NOT NULL"),
        postgresql_where=text("waiting_since IS NOT NULL"),
    ),
    Index("ix_chat_threads_words", "words", postgresql_using="gin").ddl_if(dialect="postgresql"),
    sqlite_autoincrement=True,
)

chat_thread_participants = Table(
    "chat_thread_participants",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("thread_id", Id, ForeignKey("chat_threads.id"), primary_key=True),
    _moment("joined_at"),
    Index(None, "thread_id", "user_id"),
    sqlite_with_rowid=False,
)

chat_messages = Table(
    "chat_messages",
    metadata,
    _id(),
    _ref("thread_id", "chat_threads.id"),
    Column("seq", Integer, nullable=False),
    # How many messages people had written in the thread up to and with this row: makes unread a subtraction.
    Column("number", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("sender_kind", String(20), nullable=False),
    Column("sender_id", Id, nullable=False),
    Column("body", Text, nullable=False),
    Column("event_type", String(20)),
    Column("event_people", Text),
    Column("client_msg_id", String(64), nullable=False),
    _moment("created_at"),
    Column("ip", String(45)),
    Column("user_agent", String(400)),
    # By what it came where not by the web: sms or email.
    Column("via", String(10)),
    Column("words", Words),
    UniqueConstraint("thread_id", "seq"),
    # Exactly once, for as long as the message lives: a retry after three days meets the first one. The
    # client's id stands first: ours begin with the time, so what is written together stands together.
    UniqueConstraint("client_msg_id", "thread_id", "sender_kind", "sender_id", name="uq_chat_messages_once"),
    Index("ix_chat_messages_words", "words", postgresql_using="gin").ddl_if(dialect="postgresql"),
    sqlite_autoincrement=True,
)

chat_message_read_status = Table(
    "chat_message_read_status",
    metadata,
    Column("reader_kind", String(20), primary_key=True),
    Column("reader_id", Id, primary_key=True, autoincrement=False),
    Column("thread_id", Id, ForeignKey("chat_threads.id"), primary_key=True),
    Column("last_read_seq", Integer, nullable=False),
    Column("read_count", Integer, nullable=False),
    _moment("read_at"),
    Index(None, "thread_id"),
    sqlite_with_rowid=False,
)

# --- magic links ----------------------------------------------------------------------------------

chat_magic_sessions = Table(
    "chat_magic_sessions",
    metadata,
    _id(),
    _ref("job_id", "jobs.id"),
    _ref("customer_id", "customers.id"),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    _ref("created_by", "users.id", nullable=True),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("revoked_at", nullable=True),
    _moment("last_used_at", nullable=True),
    Column("last_ip", String(45)),
    Column("last_user_agent", String(400)),
    Column("use_count", Integer, nullable=False),
    Index(None, "job_id", "id"),
    sqlite_autoincrement=True,
)

customer_cookies = Table(
    "customer_cookies",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    _ref("magic_session_id", "chat_magic_sessions.id"),
    _moment("created_at"),
    _moment("expires_at"),
    Index(None, "magic_session_id"),
)

# A link that is sent again and again gets a new token each time: of the older ones only hashes are kept.
chat_magic_tokens = Table(
    "chat_magic_tokens",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    _ref("magic_session_id", "chat_magic_sessions.id"),
    _moment("created_at"),
    Index(None, "magic_session_id", "created_at"),
)

# The one link of a customer's job that notifications lead to.
notification_links = Table(
    "notification_links",
    metadata,
    Column("customer_id", Id, ForeignKey("customers.id"), primary_key=True),
    Column("job_id", Id, ForeignKey("jobs.id"), primary_key=True),
    _ref("magic_session_id", "chat_magic_sessions.id"),
    sqlite_with_rowid=False,
)

# --- who is told, and how -------------------------------------------------------------------------

# One row for each reader and thread about which somebody may have to be told, or was.
notices = Table(
    "notices",
    metadata,
    Column("reader_kind", String(20), primary_key=True),
    Column("reader_id", Id, primary_key=True, autoincrement=False),
    Column("thread_id", Id, ForeignKey("chat_threads.id"), primary_key=True),
    # Up to here they were told, or it was found that they need not be.
    Column("told_seq", Integer, nullable=False),
    _moment("told_at", nullable=True),
    # When to look whether to tell them; null while there is nothing to tell.
    _moment("look_at", nullable=True),
    Index(None, "look_at"),
    Index(None, "thread_id"),
    sqlite_with_rowid=False,
)

# One row: threads that were active up to this moment were looked through for readers to tell.
notices_sown = Table(
    "notices_sown",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    _moment("up_to"),
)

presence = Table(
    "presence",
    metadata,
    Column("reader_kind", String(20), primary_key=True),
    Column("reader_id", Id, primary_key=True, autoincrement=False),
    # The job whose page a customer has open; 0 for staff.
    Column("job_id", Id, primary_key=True, autoincrement=False),
    # Which of their browsers: from the hash of its session.
    Column("place", String(16), primary_key=True),
    _moment("visible_until"),
    _moment("seen_at"),
    sqlite_with_rowid=False,
)

notification_preferences = Table(
    "notification_preferences",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    Column("email", Boolean, nullable=False),
    Column("push", Boolean, nullable=False),
    # Minutes of the day in their time zone.
    Column("quiet_from", Integer),
    Column("quiet_until", Integer),
    Column("time_zone", String(64), nullable=False),
    Column("language", String(5), nullable=False),
    Column("phone", String(20)),
)

# A browser that shows notices, and the session that it does so for.
push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    _id(),
    _ref("user_id", "users.id"),
    Column("session_hash", LargeBinary(32), nullable=False),
    Column("endpoint", String(1000), nullable=False, unique=True),
    Column("p256dh", String(100), nullable=False),
    Column("auth", String(30), nullable=False),
    _moment("created_at"),
    _moment("failed_at", nullable=True),
    Index(None, "user_id"),
    Index(None, "session_hash"),
)

thread_mutes = Table(
    "thread_mutes",
    metadata,
    Column("user_id", Id, ForeignKey("users.id"), primary_key=True),
    Column("thread_id", Id, ForeignKey("chat_threads.id"), primary_key=True),
    sqlite_with_rowid=False,
)

customer_preferences = Table(
    "customer_preferences",
    metadata,
    Column("customer_id", Id, ForeignKey("customers.id"), primary_key=True),
    Column("job_id", Id, ForeignKey("jobs.id"), primary_key=True),
    Column("email", Boolean, nullable=False),
    # What their browser last asked for, and when.
    Column("language", String(5)),
    _moment("language_at", nullable=True),
    sqlite_with_rowid=False,
)

# --- what goes out --------------------------------------------------------------------------------

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    Column("kind", String(20), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("recipient", String(254), nullable=False),
    Column("status", String(20), nullable=False),
    Column("reader_kind", String(20), nullable=False),
    Column("reader_id", Id, nullable=False),
    _ref("magic_session_id", "chat_magic_sessions.id", nullable=True),
    _ref("job_id", "jobs.id", nullable=True),
    _ref("thread_id", "chat_threads.id", nullable=True),
    # A notification tells of what comes after the one and goes up to the other.
    Column("after_seq", Integer),
    Column("up_to_seq", Integer),
    # The link in the clear exists only here, sealed with the secret key, and only until it is sent.
    Column("sealed_token", LargeBinary),
    Column("attempts", Integer, nullable=False),
    # Of these, how many ended without anybody knowing how: each of them may have arrived.
    Column("unknown_ends", Integer, nullable=False),
    _moment("due_at"),
    _moment("leased_until", nullable=True),
    _moment("created_at"),
    _moment("sent_at", nullable=True),
    Column("provider_id", String(254)),
    Column("error", String(400)),
    Index(None, "status", "due_at", "id"),
    Index(None, "magic_session_id"),
    Index(None, "thread_id", "id"),
    # Whom a reply answers, and what a receipt is about.
    Index(None, "recipient", "id"),
    Index(None, "provider_id"),
    sqlite_autoincrement=True,
)

# --- text messages --------------------------------------------------------------------------------

# Rows are only ever added: the newest row of a number says whether texts may go to it.
sms_consent = Table(
    "sms_consent",
    metadata,
    _id(),
    Column("number", String(20), nullable=False),
    Column("state", String(10), nullable=False),
    _moment("at"),
    Column("how", String(10), nullable=False),
    Column("note", String(200), nullable=False),
    _ref("user_id", "users.id", nullable=True),
    Index(None, "number", "id"),
    sqlite_autoincrement=True,
)

# What came in, so that a webhook that is repeated changes nothing; texts themselves are messages of threads.
sms_incoming = Table(
    "sms_incoming",
    metadata,
    _id(),
    Column("provider", String(20), nullable=False),
    Column("provider_id", String(200), nullable=False),
    _moment("at"),
    Column("number", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    _ref("thread_id", "chat_threads.id", nullable=True),
    UniqueConstraint("provider", "provider_id"),
    sqlite_autoincrement=True,
)

# --- mails that come in ---------------------------------------------------------------------------

# The mails themselves are files; a row goes together with its file when their time is over.
incoming_mails = Table(
    "incoming_mails",
    metadata,
    _id(),
    _moment("received_at"),
    # SHA-256 of the Message-ID: the same mail to the same address is dealt with once.
    Column("mail_hash", LargeBinary(32), nullable=False),
    Column("reader_kind", String(20), nullable=False),
    Column("reader_id", Id, nullable=False),
    # As the signed address has it: after a restore there may be no such thread.
    Column("thread_id", Id, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(40)),
    _ref("message_id", "chat_messages.id", nullable=True),
    Column("size", Integer, nullable=False),
    Column("raw_name", String(64), nullable=False),
    UniqueConstraint("mail_hash", "reader_kind", "reader_id", "thread_id", name="uq_incoming_mails_once"),
    Index(None, "received_at"),
    Index(None, "raw_name"),
    sqlite_autoincrement=True,
)

# --- audit, limits, facts about the store ---------------------------------------------------------

audit_log = Table(
    "audit_log",
    metadata,
    _id(),
    _moment("at"),
    Column("actor_kind", String(20), nullable=False),
    Column("actor_id", Id),
    Column("actor_name", String(254), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject_kind", String(20)),
    Column("subject_id", Id),
    Column("job_id", Id),
    Column("thread_id", Id),
    Column("ip", String(45), nullable=False),
    Column("user_agent", String(400), nullable=False),
    Column("details", Text, nullable=False),
    # Null until the row is sealed into the chain, a moment after its commit.
    Column("position", BigInteger, unique=True),
    Column("hash", LargeBinary(32)),
    Index(None, "action", "id"),
    Index(None, "actor_kind", "actor_id", "id"),
    Index(None, "job_id", "id"),
    Index(None, "thread_id", "id"),
    sqlite_autoincrement=True,
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    # HMAC of position and hash with the secret key: a chain rewritten without the key does not fit it.
    Column("mac", LargeBinary(32), nullable=False),
)

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("key", String(400), primary_key=True),
    # GCRA's theoretical arrival time: the moment at which the allowance is whole again.
    _moment("full_at"),
    Index(None, "full_at"),
)

facts = Table(
    "facts",
    metadata,
    Column("name", String(60), primary_key=True),
    Column("value", Text, nullable=False),
)
