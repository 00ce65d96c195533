"""What the API's description says in words, beside what the table of calls says by itself."""

from typing import Any

ABOUT = """\
Thread-based chat for companies that send people out to do jobs: staff among themselves, and with customers.

**Format.** JSON in UTF-8; times are RFC 3339 in UTC with milliseconds. Request keys and query keys that are \
not known are refused, so that a typo never passes silently. Answers may gain keys, which clients ignore.

**Who is calling.** Staff sign in and hold a session cookie. Integrations send `Authorization: Bearer jt_…`, \
an API key. Customers exchange the token of their magic link for a cookie, or send it as a bearer token. \
Unsafe requests with a cookie are refused where they come from another site.

**Errors** are RFC 9457 `application/problem+json`. `code` is the stable word to act on, and `type` leads to \
what it means. A 422 names each field in `errors`. What one may not see and what does not exist get the very \
same 404.

**Pages.** Lists take `limit` and an opaque `cursor`, and answer `next_cursor`: null at the end.

**Polling.** Where an answer bears an `ETag`, ask again with `If-None-Match`: 304 says that nothing changed.

**Repeating.** Give each message a `client_msg_id` of your own. Where the answer was lost, send the same \
again: it is stored once, and the repeat is answered 200 with the first message. After a 503, do likewise.

Every answer bears an `X-Request-Id`, which stands in the server's log too.
"""

NOUNS: dict[str, str] = {
    "auth": "Signing in and out",
    "threads": "Threads, as staff see them",
    "messages": "Messages, as staff read and write them",
    "jobs": "Jobs",
    "customers": "Customers, as staff see them",
    "links": "Customer threads and magic links, as the office makes and withdraws them",
    "notifications": "Who is there, and who wants to be told how",
    "deliveries": "What went out to whom, and what did not, and why",
    "customer": "The customer's own calls: one job, and nothing else",
    "events": "Live updates: streams of events, and typing notices",
    "users": "Staff accounts",
    "sms_webhooks": "What providers of text messages call: texts that came in, and receipts",
    "audit": "Who did what, when and from where",
    "incoming": "Answers by mail: what came in, and what became of it",
    "health": "For those who run the server",
    "about": "What this server and its API are",
}

PATH_IDS: dict[str, str] = {
    "thread_id": "A thread's id",
    "job_id": "A job's id",
    "user_id": "The id of a member of staff",
    "customer_id": "A customer's id",
    "mail_id": "The id of a mail that came in",
    "session_id": "A magic link's id",
    "delivery_id": "The id of something that was to go out",
    "token": "Signed by the server: who wants no more mails",
}

DONE: dict[int, str] = {200: "Done", 201: "Made", 202: "Accepted", 204: "Done, nothing to say"}

SECURITY: dict[str, Any] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "jobthread",
        "description": "Staff: set by `POST /api/auth/login`. On https its name begins with `__Host-`.",
    },
    "api_key": {
        "type": "http",
        "scheme": "bearer",
        "description": "Integrations: an API key `jt_…`, acting as the service user that it was made for.",
    },
    "customer_session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "jobthread_job_{job_id}",
        "description": "Customers: set by `POST /api/chat/customer/session`, one for each job. "
        "On https its name begins with `__Host-`.",
    },
    "magic_token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Customers: the token of the magic link itself.",
    },
    "twilio_signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Twilio-Signature",
        "description": "Twilio: HMAC-SHA1 with the account's token over address and form fields.",
    },
    "vonage_signature": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "Vonage: a JWT (HS256) with the signature secret, and the body's SHA-256 in it.",
    },
    "generic_signature": {
        "type": "http",
        "scheme": "bearer",
        "description": "Any other provider: the `secret` of its template.",
    },
}

MEANS: dict[str, str] = {
    "bad_json": "The body could not be read as JSON in UTF-8.",
    "not_authenticated": "There is no session, or it has ended: sign in, or send a key that is in force.",
    "bad_credentials": "The same for an unknown account and a wrong password.",
    "link_invalid": "The token is none of this job, or is mistyped.",
    "link_expired": "Ask for a new link with `POST /api/chat/customer/link`.",
    "link_revoked": "The office has withdrawn the link; ask it for a new one.",
    "job_inactive": "The job of the link is closed.",
    "forbidden": "One may see it, but one's role may not do this.",
    "wrong_job": "A link opens its own job and no other.",
    "bad_signature": "It was not made with the secret of the account, or for another address than "
    "`JOBTHREAD_BASE_URL`.",
    "cross_site": "`Sec-Fetch-Site` or `Origin` names another site, and the request could change something.",
    "not_found": "It does not exist, or one may not see it: the two answers are identical.",
    "method_not_allowed": "`Allow` names the methods that this address answers to.",
    "thread_closed": "Reopen it to write in it.",
    "nothing_waits": "Somebody has answered meanwhile, or the thread was closed.",
    "job_closed": "Links are made for active jobs only.",
    "not_failed": "It waits, went out, or was cancelled.",
    "client_msg_id_reused": "Another text was sent under this id: make a new id for a new message.",
    "last_admin": "Somebody must be able to administer the server.",
    "taken": "Another row bears this name, address or number; `detail` says which.",
    "body_too_large": "The server's limit on bodies is a setting.",
    "wrong_content_type": "Bodies are JSON and nothing else, uncompressed; Twilio's are forms.",
    "invalid": "`errors` names each field and says what is wrong with it.",
    "rate_limited": "Wait for as many seconds as `Retry-After` says.",
    "internal": "A mistake of ours; the server's log has more under the `X-Request-Id`.",
    "unavailable": "The database does not answer, or too much waits. Repeat after `Retry-After` seconds.",
}
