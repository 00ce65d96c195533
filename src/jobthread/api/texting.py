"""Text messages as the server's parts know them: whose webhooks are taken in, and how a word is answered."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jobthread.actions.texts import Outcome
from jobthread.deliver import sms_answers
from jobthread.deliver.outgoing import Send
from jobthread.entities import Language, Micros


@dataclass(frozen=True, slots=True)
class Knock:
    """A request that says it comes from the provider; `url` is the address that the provider called."""

    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def bearer(self) -> str:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass
class Texting:
    """`provider` is whose webhooks are answered; None answers nobody's."""

    provider: str | None
    is_signed: Callable[[Knock], bool]
    send: Send
    """The channel that everything passes, behind the consent ledger."""
    confirm: Send
    """The channel itself, for nothing but the one confirmation that texts have stopped."""
    company: str
    clock: Callable[[], Micros]
    observe: Callable[[str], None] = lambda outcome: None
    _under_way: set["asyncio.Task[None]"] = field(default_factory=set)

    def answer(self, outcome: Outcome, number: str, language: Language) -> None:
        """In the background: the provider waits for its own answer, and would ask again."""
        if outcome is Outcome.STOPPED:
            self._begin(self.confirm, number, sms_answers.stopped(self.company, language))
        elif outcome is Outcome.HELP:
            self._begin(self.send, number, sms_answers.help_with(self.company, language))

    def _begin(self, send: Send, number: str, text: str) -> None:
        task = asyncio.create_task(sms_answers.answer(send, number, text, self.clock))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """What is not answered by now is not answered."""
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
