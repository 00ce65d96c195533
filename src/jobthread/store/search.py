"""Full-text search behind one face: FTS5 on SQLite, tsvector on PostgreSQL. Input is words, never a query."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, TextClause, and_, bindparam, cast, false, func, or_, select, text
from sqlalchemy.dialects.postgresql import TSQUERY

from jobthread.entities import Hit
from jobthread.store.batches import run
from jobthread.store.database import Reading, Writing
from jobthread.store.tables import chat_messages, chat_threads
from jobthread.store.words import asked_for, excerpt

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


def newest_with(tx: Reading, thread_ids: Sequence[int], query: str) -> dict[int, Hit]:
    """Of each thread the newest message that holds all words of `query`. Only for threads that are seen."""
    words = asked_for(query)
    if not words:
        return {}
    seqs = (
        select(chat_messages.c.thread_id, func.max(chat_messages.c.seq).label("seq"))
        .where(chat_messages.c.thread_id.in_(thread_ids), _messages_with(tx.dialect, words))
        .group_by(chat_messages.c.thread_id)
        .subquery()
    )
    newest = and_(chat_messages.c.thread_id == seqs.c.thread_id, chat_messages.c.seq == seqs.c.seq)
    chosen = select(chat_messages.c.thread_id, chat_messages.c.seq, chat_messages.c.body).join(seqs, newest)
    return {row.thread_id: Hit(row.seq, excerpt(row.body, words)) for row in tx.conn.execute(chosen)}


def threads_with(dialect: str, query: str) -> ColumnElement[bool]:
    """A condition on chat_threads: subject or some message holds all words of `query`, each as a prefix."""
    words = asked_for(query)
    if not words:
        return false()
    in_messages = select(chat_messages.c.thread_id).where(_messages_with(dialect, words))
    return or_(_subject_with(dialect, words), chat_threads.c.id.in_(in_messages))


def _subject_with(dialect: str, words: Sequence[str]) -> ColumnElement[bool]:
    if dialect == "sqlite":
        return chat_threads.c.id.in_(_match("subjects", words))
    return chat_threads.c.words.op("@@")(_tsquery(words))


def _messages_with(dialect: str, words: Sequence[str]) -> ColumnElement[bool]:
    """A condition on chat_messages."""
    if dialect == "sqlite":
        return chat_messages.c.id.in_(_match("messages", words))
    return chat_messages.c.words.op("@@")(_tsquery(words))


def _tsquery(words: Sequence[str]) -> ColumnElement[Any]:
    # A plain cast: to_tsquery would read our words once more, and lose those whose letters it does not know.
    return cast(" & ".join(f"'{word}':*" for word in words), TSQUERY)


def _match(kind: str, words: Sequence[str]) -> TextClause:
    asked = " ".join(f'"{word}"*' for word in words)
    statement = f"SELECT rowid FROM search_{kind} WHERE search_{kind} MATCH :asked_{kind}"  # noqa: S608
    return text(statement).bindparams(bindparam(f"asked_{kind}", asked))


def _index_messages(dialect: str) -> TextClause:
    return text(_INSERT_WORDS)


_INSERT_WORDS = (
    "INSERT INTO search_messages(rowid, words) "
    "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM jsonb_each(:rows)"
)
_INDEX_SUBJECT = text("INSERT INTO search_subjects(rowid, words) VALUES (:id, :words)")
