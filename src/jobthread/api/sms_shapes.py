"""What providers of text messages send us. They add fields as they like: unknown ones are no mistake."""

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

ProviderId = Annotated[str, Meta(min_length=1, max_length=200, description="The provider's name for it")]
Number = Annotated[str, Meta(min_length=1, max_length=40, examples=["+12025550123"])]
Reference = Annotated[str, Meta(max_length=60, description="What the text was sent with as `{id}`")]


class TwilioText(Struct):
    """A text that came to Twilio."""

    message_sid: ProviderId = field(name="MessageSid")
    sender: Number = field(name="From")
    body: str = field(name="Body", default="")
    num_media: Annotated[str, Meta(max_length=3)] = field(name="NumMedia", default="0")
    opt_out_type: str = field(name="OptOutType", default="")


class TwilioReceipt(Struct):
    """What became of a text that Twilio took."""

    message_sid: ProviderId = field(name="MessageSid")
    status: str = field(name="MessageStatus")
    error_code: Annotated[str, Meta(max_length=10)] = field(name="ErrorCode", default="")


class TwilioQuery(Struct, forbid_unknown_fields=True):
    delivery: Reference = ""


class VonageText(Struct):
    """A text that came to Vonage's Messages API."""

    message_uuid: ProviderId
    sender: Number = field(name="from")
    text: str | None = None
    message_type: str = "text"


class VonageError(Struct):
    type: str = ""
    title: str | int = ""


class VonageReceipt(Struct):
    """What became of a text that Vonage took."""

    message_uuid: ProviderId
    status: str
    error: VonageError | None = None
    client_ref: Reference | None = None


class GenericText(Struct):
    """A text that came to any other provider."""

    id: ProviderId
    sender: Number = field(name="from")
    text: str = ""


class GenericReceipt(Struct):
    """What became of a text that any other provider took."""

    id: ProviderId
    status: Literal["sent", "delivered", "failed"]
    error: Annotated[str, Meta(max_length=400, description="Why it failed, for staff to read")] = ""
    ref: Reference = ""
    opted_out: Annotated[bool, Meta(description="The number asked the provider for no more texts")] = False


class Received(Struct):
    status: str = "ok"
