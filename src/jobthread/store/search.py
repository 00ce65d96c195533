"""Full-text search behind one face: FTS5 on SQLite, tsvector on PostgreSQL. Input is words, never a query."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, TextClause, bindparam, cast, false, or_, select, text
from sqlalchemy.dialects.postgresql import TSQUERY

from jobthread.store.batches import run
from jobthread.store.database import Writing
from jobthread.store.tables import chat_messages, chat_threads
from jobthread.store.words import asked_for

SQLITE_TABLES = (
    # Our own words, joined by spaces: the `ascii` tokenizer splits at the spaces and nowhere else.
    "CREATE VIRTUAL TABLE search_messages USING fts5(words, content='', tokenize='ascii')",
    "CREATE VIRTUAL TABLE search_subjects USING fts5(words, content='', tokenize='ascii')",
)


def index_messages(tx: Writing, rows_json: str) -> None:
    """`rows_json` is `[[message id, words], …]`. On PostgreSQL the words stand in the row itself."""
    if tx.dialect == "sqlite":
        run(tx, _index_messages, rows=rows_json)


def index_subject(tx: Writing, thread_id: int, words: str) -> None:
    if tx.dialect == "sqlite":
        tx.conn.execute(_INDEX_SUBJECT, {"id": thread_id, "words": words})


def threads_with(dialect: str, query: str) -> ColumnElement[bool]:
    """A condition on chat_threads: subject or some message holds all words of `query`, each as a prefix."""
    words = asked_for(query)
    if not words:
        return false()
    if dialect == "sqlite":
        return _sqlite_match(words)
    # A plain cast: to_tsquery would read our words once more, and lose those whose letters it does not know.
    asked = cast(" & ".join(f"'{word}':*" for word in words), TSQUERY)
    in_messages = select(chat_messages.c.thread_id).where(chat_messages.c.words.op("@@")(asked))
    return or_(chat_threads.c.words.op("@@")(asked), chat_threads.c.id.in_(in_messages))


def _sqlite_match(words: Sequence[str]) -> ColumnElement[bool]:
    asked = " ".join(f'"{word}"*' for word in words)
    in_messages = select(chat_messages.c.thread_id).where(chat_messages.c.id.in_(_match("messages", asked)))
    return or_(
        chat_threads.c.id.in_(_match("subjects", asked)),
        chat_threads.c.id.in_(in_messages),
    )


def _match(kind: str, asked: str) -> TextClause:
    statement = f"SELECT rowid FROM search_{kind} WHERE search_{kind} MATCH :asked_{kind}"  # noqa: S608
    return text(statement).bindparams(bindparam(f"asked_{kind}", asked))


def _index_messages(dialect: str) -> TextClause:
    return text(_INSERT_WORDS)


_INSERT_WORDS = (
    "INSERT INTO search_messages(rowid, words) "
    "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM jsonb_each(:rows)"
)
_INDEX_SUBJECT = text("INSERT INTO search_subjects(rowid, words) VALUES (:id, :words)")
