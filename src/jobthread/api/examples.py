"""One example of each shape that goes over the wire, as a reader of the documentation would meet it."""

from typing import Any

from jobthread.api import (
    customer_shapes,
    delivery_shapes,
    health,
    people_shapes,
    server_shapes,
    shapes,
    sms_shapes,
    trail_shapes,
)

Json = dict[str, Any]

_DORA: Json = {"id": 2, "name": "Dora Lind", "role": "dispatcher"}
_TOM: Json = {"id": 5, "name": "Tom Berg", "role": "technician"}
_TOKEN = "Zm9yIHRoZSBkb2N1bWVudGF0aW9uIG9ubHksIG5vIGxpbms"  # noqa: S105

_PUBLIC_KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"

_USER: Json = {**_DORA, "email": "dora@example.com", "active": True}
_CUSTOMER: Json = {"id": 9, "name": "Carol Weaver", "email": "carol@example.com", "phone": "+12025550123"}
_CUSTOMER |= {"sms_stopped": False, "sms_stopped_since": None}
_JOB_REF: Json = {
    "id": 101,
    "reference": "101",
    "title": "Boiler off",
    "status": "active",
    "customer_name": "Carol Weaver",
}
_JOB: Json = {
    **_JOB_REF,
    "customer": _CUSTOMER,
    "assignees": [_TOM],
    "scheduled_at": "2026-11-24T09:00:00.000Z",
    "external_id": "crm-4711",
    "threads": [
        {
            "id": 7,
            "subject": "The valve is seized",
            "visibility": "internal",
            "status": "open",
            "unread_count": 1,
            "needs_reply": False,
        }
    ],
}
_MESSAGE: Json = {
    "id": 311,
    "thread_id": 7,
    "seq": 2,
    "kind": "message",
    "sender": {"kind": "staff", "id": 5, "name": "Tom Berg"},
    "body": "The valve is seized. Replace it, or free it?",
    "event": None,
    "client_msg_id": "3f1c9a52-7d1e",
    "created_at": "2026-11-23T08:15:30.250Z",
    "via": None,
    "attachments": [],
}
_CREATED: Json = {
    "id": 310,
    "thread_id": 7,
    "seq": 1,
    "kind": "event",
    "sender": {"kind": "staff", "id": 5, "name": "Tom Berg"},
    "body": "",
    "event": {"type": "created", "people": [{"id": 2, "name": "Dora Lind"}]},
    "client_msg_id": "0b6f2c1e9d4a4f7f8a3e5d2c1b0a9f8e",
    "created_at": "2026-11-23T08:15:30.250Z",
    "via": None,
    "attachments": [],
}
_THREAD: Json = {
    "id": 7,
    "subject": "The valve is seized",
    "visibility": "internal",
    "status": "open",
    "job": _JOB_REF,
    "participants": [_DORA, _TOM],
    "created_by": {"id": 5, "name": "Tom Berg"},
    "created_at": "2026-11-23T08:15:30.250Z",
    "last_message": _MESSAGE,
    "last_seq": 2,
    "last_read_seq": 1,
    "unread_count": 1,
    "needs_reply": False,
    "waiting_since": None,
    "claimed_by": None,
    "escalated": 0,
    "sms_stopped": False,
    "email_on_file": True,
    "hit": None,
}
_DELIVERY: Json = {
    "id": 40,
    "channel": "email",
    "to": "carol@example.com",
    "status": "sent",
    "error": None,
    "sent_at": "2026-11-23T08:15:32.100Z",
}
_LINK: Json = {
    "session_id": 33,
    "created_by": {"id": 2, "name": "Dora Lind"},
    "created_at": "2026-11-23T08:15:30.250Z",
    "expires_at": "2026-11-30T08:15:30.250Z",
    "revoked_at": None,
    "last_used_at": "2026-11-23T09:02:11.000Z",
    "last_ip": "192.0.2.17",
    "last_user_agent": "Mozilla/5.0 (iPhone)",
    "use_count": 1,
    "deliveries": [_DELIVERY],
}
_ENTRY: Json = {
    "id": 812,
    "at": "2026-11-23T08:15:30.250Z",
    "actor": {"kind": "staff", "id": 2, "name": "Dora Lind"},
    "action": "link_created",
    "subject": {"kind": "link", "id": 33},
    "job_id": 101,
    "thread_id": None,
    "ip": "192.0.2.4",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
    "details": {"sent_by": ["email"], "hours": 168},
}

_ANY_DELIVERY: Json = {
    "id": 41,
    "kind": "notification",
    "recipient": {"kind": "staff", "id": 5, "name": "Tom Berg"},
    "to": "tom@example.com",
    "channel": "email",
    "status": "queued",
    "job_id": 101,
    "thread_id": 7,
    "attempts": 1,
    "queued_at": "2026-11-23T08:16:30.250Z",
    "due_at": "2026-11-23T08:16:40.100Z",
    "sent_at": None,
    "error": "the mail server did not let us in: 421 4.3.2 not now",
}

# --- as customers see it --------------------------------------------------------------------------

_SEEN_MESSAGE: Json = {
    "id": 320,
    "thread_id": 8,
    "seq": 2,
    "kind": "message",
    "sender": {"kind": "staff", "id": 2, "name": "Dora Lind", "role": "dispatcher"},
    "body": "Tom will come tomorrow at nine.",
    "event": None,
    "client_msg_id": "c2a7e0d4-11",
    "created_at": "2026-11-23T08:20:00.000Z",
    "attachments": [],
}
_SEEN_THREAD: Json = {
    "id": 8,
    "subject": "Your boiler",
    "status": "open",
    "created_at": "2026-11-23T08:19:40.000Z",
    "last_message": _SEEN_MESSAGE,
    "last_seq": 2,
    "last_read_seq": 0,
    "unread_count": 1,
}
_VIEW: Json = {
    "job": _JOB_REF,
    "threads": [_SEEN_THREAD],
    "thread": _SEEN_THREAD,
    "messages": [_SEEN_MESSAGE],
    "has_more": True,
}

EXAMPLES: dict[Any, Any] = {
    # people
    people_shapes.User: _USER,
    people_shapes.UserAnswer: {"user": _USER},
    people_shapes.Users: {"users": [_USER]},
    people_shapes.Login: {"email": "dora@example.com", "password": "a wrench in the works"},
    people_shapes.PasswordChange: {"current": "a wrench in the works", "new": "a spanner in the works"},
    people_shapes.NewUser: {"name": "Tina Holm", "email": "tina@example.com", "role": "technician"},
    people_shapes.UserChange: {"active": False},
    # jobs and customers
    people_shapes.Customer: _CUSTOMER,
    people_shapes.Customers: {"customers": [_CUSTOMER], "next_cursor": None},
    people_shapes.CustomerChange: {"phone": "+12025550123"},
    people_shapes.ConsentNote: {"note": "Asked on the phone"},
    people_shapes.ConsentHistory: {
        "entries": [
            {
                "number": "+12025550123",
                "state": "stopped",
                "at": "2026-11-23T08:15:30.250Z",
                "how": "keyword",
                "note": "STOP",
                "by": None,
            }
        ]
    },
    people_shapes.Job: _JOB,
    people_shapes.Jobs: {"jobs": [_JOB], "next_cursor": None},
    people_shapes.NewJob: {
        "title": "Boiler off",
        "customer": {"name": "Carol Weaver", "email": "carol@example.com", "phone": "+12025550123"},
        "assignee_ids": [5],
        "scheduled_at": "2026-11-24T10:00:00+01:00",
        "external_id": "crm-4711",
    },
    people_shapes.JobChange: {"status": "closed"},
    # threads and messages
    shapes.Thread: _THREAD,
    shapes.Threads: {"threads": [_THREAD], "next_cursor": None},
    shapes.NewThread: {
        "visibility": "internal",
        "subject": "The valve is seized",
        "participant_ids": [2],
        "job_id": 101,
        "message": {"body": "Replace it, or free it?", "client_msg_id": "3f1c9a52-7d1e"},
    },
    shapes.NewParticipants: {"user_ids": [5]},
    shapes.Message: _MESSAGE,
    shapes.Messages: {
        "messages": [_CREATED, _MESSAGE],
        "has_more": False,
        "reads": [
            {"kind": "staff", "id": 2, "name": "Dora Lind", "last_read_seq": 1},
            {"kind": "staff", "id": 5, "name": "Tom Berg", "last_read_seq": 2},
        ],
    },
    shapes.NewMessage: {
        "body": "The valve is seized. Replace it, or free it?",
        "client_msg_id": "3f1c9a52-7d1e",
    },
    shapes.ReadMark: {"up_to_seq": 2},
    shapes.ReadAnswer: {"last_read_seq": 2, "unread_count": 0},
    shapes.UnreadCount: {"unread_count": 3},
    # links
    shapes.NewCustomerThread: {"subject": "Your boiler", "participant_ids": [5]},
    shapes.NewLink: {"channels": ["email"]},
    shapes.IssuedLink: {
        "session_id": 33,
        "url": f"https://chat.example.com/customer/chat?jobId=101&token={_TOKEN}",
        "expires_at": "2026-11-30T08:15:30.250Z",
        "deliveries": [{**_DELIVERY, "status": "queued", "sent_at": None}],
    },
    shapes.Links: {"sessions": [_LINK], "customer_invited": True},
    # customers
    customer_shapes.TokenExchange: {"job_id": 101, "token": _TOKEN},
    customer_shapes.OpenedLink: {
        "job": _JOB_REF,
        "customer": {"name": "Carol Weaver"},
        "company": "Example Heating",
        "expires_at": "2026-11-30T08:15:30.250Z",
        "view": _VIEW,
    },
    customer_shapes.CustomerView: _VIEW,
    customer_shapes.CustomerMessage: _SEEN_MESSAGE,
    customer_shapes.NewCustomerMessage: {"body": "Nine is fine, thank you.", "client_msg_id": "f00d-1"},
    customer_shapes.CustomerReadMark: {"up_to_seq": 2},
    customer_shapes.CustomerTyping: {"thread_id": 12},
    customer_shapes.RenewalAnswer: {"status": "accepted"},
    # providers of text messages
    sms_shapes.TwilioText: {
        "MessageSid": "SM0123456789abcdef0123456789abcdef",
        "From": "+12025550123",
        "Body": "Nine is fine, thank you.",
        "NumMedia": "0",
    },
    sms_shapes.TwilioReceipt: {
        "MessageSid": "SM0123456789abcdef0123456789abcdef",
        "MessageStatus": "undelivered",
        "ErrorCode": "30006",
    },
    sms_shapes.VonageText: {
        "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
        "from": "12025550123",
        "text": "Nine is fine, thank you.",
        "message_type": "text",
    },
    sms_shapes.VonageReceipt: {
        "message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab",
        "status": "delivered",
        "client_ref": "40-1795000000000000",
    },
    sms_shapes.GenericText: {"id": "4711", "from": "+12025550123", "text": "Nine is fine, thank you."},
    sms_shapes.GenericReceipt: {"id": "4712", "status": "delivered", "ref": "40-1795000000000000"},
    sms_shapes.Received: {"status": "ok"},
    # the rest
    trail_shapes.AuditEntries: {"entries": [_ENTRY], "next_cursor": None},
    trail_shapes.IncomingMails: {
        "mails": [
            {
                "id": 14,
                "received_at": "2026-11-23T08:31:02.000Z",
                "outcome": "landed",
                "reason": None,
                "reader": {"kind": "customer", "id": 9},
                "reader_name": "Carol Weaver",
                "thread_id": 8,
                "message_id": 321,
                "size": 4210,
            }
        ],
        "next_cursor": None,
    },
    server_shapes.About: {"company": "Example Heating", "version": "1.0.0", "demo": False, "sign_ins": []},
    health.Health: {"status": "ok"},
    health.Readiness: {"status": "ready", "deliveries": "ok"},
    # notifications
    delivery_shapes.Preferences: {
        "email": "on",
        "push": "on",
        "quiet_from": "22:00",
        "quiet_until": "06:00",
        "time_zone": "Europe/Madrid",
        "language": "es",
        "phone": "+12025550123",
        "muted_thread_ids": [7],
    },
    delivery_shapes.PreferencesChange: {
        "quiet_from": "22:00",
        "quiet_until": "06:00",
        "time_zone": "Europe/Madrid",
    },
    delivery_shapes.PushKey: {"public_key": _PUBLIC_KEY},
    delivery_shapes.PushSubscription: {
        "endpoint": "https://push.example.com/v2/abc",
        "keys": {"p256dh": _PUBLIC_KEY, "auth": "c2l4dGVlbiBieXRlcyBvaw"},
    },
    delivery_shapes.Presence: {"visible": True},
    delivery_shapes.ThreadDeliveries: {
        "deliveries": [
            {
                "id": 41,
                "recipient": {"kind": "staff", "id": 5, "name": "Tom Berg"},
                "channel": "email",
                "from_seq": 2,
                "to_seq": 4,
                "status": "sent",
                "queued_at": "2026-11-23T08:16:30.250Z",
                "sent_at": "2026-11-23T08:16:32.100Z",
                "error": None,
            }
        ]
    },
    delivery_shapes.AnyDelivery: _ANY_DELIVERY,
    delivery_shapes.Deliveries: {
        "channels": [
            {"channel": "email", "last_sent_at": "2026-11-23T08:15:32.100Z", "waiting": 1, "failed": 0},
            {"channel": "sms", "last_sent_at": None, "waiting": 0, "failed": 0},
        ],
        "oldest_waiting_at": "2026-11-23T08:16:30.250Z",
        "deliveries": [_ANY_DELIVERY],
        "next_cursor": None,
    },
    delivery_shapes.TestDelivery: {"channel": "email"},
}
