"""From the account that is set up to the channel that texts go by, and to whose webhooks are taken in."""

import hmac
from collections.abc import Callable

from jobthread.api.texting import Knock
from jobthread.deliver import sms, sms_template, sms_twilio, sms_vonage
from jobthread.deliver.outgoing import Send
from jobthread.deliver.sms_accounts import Account, Template, Twilio, Vonage


def channel(account: Account, reached_at: str | None) -> Send:
    """How texts go out. `reached_at` is our own address; None where providers could not reach it."""
    if isinstance(account, Twilio):
        return sms_twilio.sender(account, reached_at and f"{reached_at}/api/sms/twilio/status")
    if isinstance(account, Vonage):
        return sms_vonage.sender(account, reached_at and f"{reached_at}/api/sms/vonage/status")
    if isinstance(account, Template):
        return sms_template.sender(account)
    return sms.into_folder(account.path)


def provider_of(account: Account) -> tuple[str | None, Callable[[Knock], bool]]:
    """The name that stands in the paths of its webhooks, and how they are told from a stranger's."""
    if isinstance(account, Twilio):
        token = account.token
        return "twilio", lambda knock: sms_twilio.is_signed(
            token, knock.url, knock.body, knock.headers.get("x-twilio-signature", "")
        )
    if isinstance(account, Vonage) and account.signature is not None:
        vonage = account
        return "vonage", lambda knock: sms_vonage.is_signed(vonage, knock.body, knock.bearer)
    if isinstance(account, Template) and account.secret is not None:
        secret = account.secret.encode()
        return "generic", lambda knock: hmac.compare_digest(secret, knock.bearer.encode("utf-8", "replace"))
    return None, lambda knock: False
