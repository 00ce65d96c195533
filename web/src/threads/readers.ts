/** Who will read what one writes here, and who has read what one wrote. */
import type { Message, ReadBy, Thread } from "../shapes";
import { threads as words } from "../words/threads";

const NAMED = 4;

export function readersOf(thread: Thread, me: number): string {
  const others = thread.participants.filter((person) => person.id !== me).map((person) => person.name);
  if (thread.visibility === "internal")
    return others.length ? words.readersInternal(few(others)) : words.readersAlone;
  const customer = words.readersOutside(thread.job?.customer_name ?? "");
  return others.length ? customer + words.andStaff(few(others)) : customer;
}

/** The customer's number is stopped: how they hear of what one writes all the same, if at all. */
export function noTexts({ job, email_on_file }: Thread): string {
  const customer = job?.customer_name ?? "";
  return email_on_file ? words.noTexts(customer) : words.noTextsNorMail(customer);
}

/** Under the last of one's own messages that each has read, their name; "" under the newest that nobody has. */
export function seenUnder(mine: Message[], reads: ReadBy[], me: number): Map<number, string> {
  const names = new Map<number, string[]>();
  for (const read of reads) {
    if (read.kind === "staff" && read.id === me) continue;
    const last = mine.findLast((message) => message.seq <= read.last_read_seq);
    if (last) names.set(last.seq, [...(names.get(last.seq) ?? []), read.name]);
  }
  const seen = new Map([...names].map(([seq, who]) => [seq, words.seenBy(few(who))]));
  const newest = mine.at(-1);
  if (newest && !seen.has(newest.seq)) seen.set(newest.seq, "");
  return seen;
}

const few = (names: string[]) =>
  names.length > NAMED ? `${names.slice(0, NAMED).join(", ")} +${names.length - NAMED}` : names.join(", ");
