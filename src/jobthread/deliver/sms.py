"""Text messages: how they are worded; and where no provider is set up, the folder that collects them."""

import asyncio
from pathlib import Path

from jobthread.deliver import mailbox
from jobthread.deliver.gsm7 import segments, written
from jobthread.deliver.outgoing import Outgoing, Send
from jobthread.deliver.wording import Wording

LONGEST_COMPANY = 30
LONGEST_TITLE = 40


def worded(words: Wording, company: str, title: str, until: str, link: str) -> str:
    """The fullest wording that costs no more messages than the shortest would."""
    told = {
        "company": named(company, words),
        "title": _shortened(title, LONGEST_TITLE) or words.some_job,
        "until": until,
        "link": link,
    }
    texts = [wording.format(**told) for wording in words.invitation.text_messages]
    fewest = segments(texts[-1])
    return next(text for text in texts if segments(text) == fewest)


def named(company: str, words: Wording) -> str:
    """Who writes, in the phone's alphabet."""
    return _shortened(company, LONGEST_COMPANY) or words.some_company


def into_folder(folder: Path) -> Send:
    """The channel where no provider is set up: each text message becomes a file."""

    async def send(outgoing: Outgoing) -> str:
        content = f"To: {outgoing.to}\n\n{outgoing.text}\n".encode()
        return await asyncio.to_thread(mailbox.put, folder, outgoing, "txt", content)

    return send


def _shortened(text: str, longest: int) -> str:
    text = " ".join(written(text).split())
    return text if len(text) <= longest else text[: longest - 3].rstrip() + "..."
