"""A process with the real worker in it that kills itself at one step of its first delivery.

Arguments: database URL, SMTP port, address of the texts' provider, seconds ahead, and where it dies:
`worded` (right before it is sent), `taken` (right after the channel's answer) or `nowhere`.
"""

import asyncio
import os
import signal
import sys

from jobthread import sms_settings
from jobthread.api.texting_accounts import channel
from jobthread.deliver import push
from jobthread.deliver.outgoing import Letter, Outgoing, Send
from jobthread.deliver.push_encryption import keys_from
from jobthread.deliver.sms_allowed import only_where_allowed
from jobthread.deliver.worker import deliver_forever
from jobthread.entities import Channel
from jobthread.store.database import Database, wall_clock
from tests.deliver.post import COMPOSE, SEAL, SECOND, by_mail


async def work(url: str, port: int, sms_url: str, seconds_ahead: int, dies: str) -> None:
    db = Database(url, lambda: wall_clock() + seconds_ahead * SECOND)
    notices = push.Service(db, keys_from(b"k" * 32), "https://chat.example.com", on_this_machine)
    channels = {
        **by_mail(port),
        Channel.SMS: only_where_allowed(db, channel(sms_settings.account(sms_url), None)),
        Channel.PUSH: push.through(notices),
    }
    if dies == "taken":
        channels = {name: dying_after(send) for name, send in channels.items()}
    compose = dying_composer if dies == "worded" else COMPOSE
    await deliver_forever(db, SEAL, channels, compose, asyncio.Event(), asyncio.Event())


def dying_composer(letter: Letter) -> Outgoing:
    outgoing = COMPOSE(letter)
    os.kill(os.getpid(), signal.SIGKILL)
    return outgoing


def dying_after(send: Send) -> Send:
    async def dying(outgoing: Outgoing) -> str:
        answer = await send(outgoing)
        os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return dying


async def on_this_machine(host: str, port: int) -> str:
    return "127.0.0.1"


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]))
