/** One conversation, and where the customer answers. */
import type { Visit } from "../state/visit";
import { linesOf, type Reader } from "../ui/lines";
import { words } from "../words/customer";
import { composer } from "./composer";
import { make, say } from "./elements";
import { messages } from "./messages";

const READER: Reader = {
  isMine: (sender) => sender.kind === "customer",
  roleOf: (sender) => ("role" in sender ? sender.role : null),
};

export function conversation(visit: Visit, id: number) {
  const draft = visit.draft(id);
  const typed = (body: string) => (draft.write(body), body.trim() && visit.typing());
  const writing = composer({ changed: typed, send: visit.send });
  const list = messages({
    seen: visit.seen,
    retry: ({ outgoing }) => (writing.focus(), visit.sending.retry(outgoing!)),
    discard: ({ outgoing }) => (writing.focus(), visit.sending.discard(outgoing!)),
  });
  const closed = make("p", { class: "closed", role: "status" });
  const element = make("main", {}, list.element, closed, writing.element);
  void draft.read().then(writing.fill);

  function show() {
    const { pages, thread, sending, company, offline } = visit;
    if (!pages) return;
    // That they were sent a link is no news to those who opened it.
    const told = pages.messages.filter(({ event }) => event?.type !== "link_sent");
    const waiting = sending.waiting.filter((one) => one.thread_id === id);
    list.show({
      lines: linesOf(told, waiting, READER, offline),
      readUpTo: pages.readUpTo,
      older: pages.hasOlder ? visit.older : null,
      writing: visit.writing,
    });
    say(closed, thread?.status === "closed" ? words.closedHere : "");
    writing.show(company);
  }

  return { element, show };
}
