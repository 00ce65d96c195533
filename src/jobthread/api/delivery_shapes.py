"""What goes out, and who wants to be told by what."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jobthread import entities as e
from jobthread.api.wire import Asking, Cursor, Limit, Moment, Phone
from jobthread.entities import Channel, DeliveryStatus

Switch = Literal["on", "off"]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", examples=["22:00"])]
TimeZone = Annotated[str, Meta(min_length=1, max_length=64, examples=["Europe/Madrid"])]


class Preferences(Struct):
    email: Switch
    push: Switch
    quiet_from: TimeOfDay | None
    quiet_until: TimeOfDay | None
    time_zone: TimeZone
    language: e.Language
    phone: Annotated[str | None, Meta(description="Where one's tests by text message go")]
    muted_thread_ids: list[int]


class PreferencesChange(Asking):
    email: Switch | UnsetType = UNSET
    push: Switch | UnsetType = UNSET
    quiet_from: TimeOfDay | None | UnsetType = UNSET
    quiet_until: TimeOfDay | None | UnsetType = UNSET
    time_zone: TimeZone | UnsetType = UNSET
    language: e.Language | UnsetType = UNSET
    phone: Phone | None | UnsetType = UNSET


class Presence(Asking):
    visible: bool


class PushKey(Struct):
    public_key: str


class PushKeys(Asking):
    p256dh: Annotated[str, Meta(max_length=100)]
    auth: Annotated[str, Meta(max_length=30)]


class PushSubscription(Asking):
    endpoint: Annotated[str, Meta(max_length=1000)]
    keys: PushKeys


class Recipient(Struct):
    kind: Literal["staff", "customer"]
    id: int
    name: str


class ThreadDelivery(Struct):
    """Word of the messages `from_seq` to `to_seq`, to one recipient by one channel."""

    id: int
    recipient: Recipient
    channel: Channel
    from_seq: int
    to_seq: int
    status: DeliveryStatus
    queued_at: Moment
    sent_at: Moment | None
    error: Annotated[str | None, Meta(description="Why it failed, was cancelled, or is late")]


class ThreadDeliveries(Struct):
    deliveries: list[ThreadDelivery]


class AnyDelivery(Struct):
    id: int
    kind: e.DeliveryKind
    recipient: Recipient
    to: str
    channel: Channel
    status: DeliveryStatus
    job_id: int | None
    thread_id: int | None
    attempts: int
    queued_at: Moment
    due_at: Moment
    sent_at: Moment | None
    error: str | None


class ChannelState(Struct):
    channel: Channel
    last_sent_at: Moment | None
    waiting: int
    failed: int


class Deliveries(Struct):
    channels: list[ChannelState]
    oldest_waiting_at: Moment | None
    deliveries: list[AnyDelivery]
    next_cursor: str | None


class DeliveriesQuery(Asking):
    status: DeliveryStatus | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class TestDelivery(Asking):
    channel: Channel
