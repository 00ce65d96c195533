/** A customer's conversations, as far as they are here. */
import type { CustomerMessage } from "../shapes";

export interface Pages {
  messages: CustomerMessage[];
  hasOlder: boolean;
  /** What had been read when it was opened: the line "new messages" stands after it. */
  readUpTo: number;
}

export class Transcripts {
  private readonly all = new Map<number, Pages>();

  of = (thread: number): Pages | undefined => this.all.get(thread);

  /** The number of its last message here; 0 where there is none. */
  lastOf(thread: number): number {
    const messages = this.of(thread)?.messages ?? [];
    return messages[messages.length - 1]?.seq ?? 0;
  }

  /** It begins anew with these. */
  begin(thread: number, messages: CustomerMessage[], hasOlder: boolean, readUpTo: number) {
    this.all.set(thread, { messages, hasOlder, readUpTo: this.of(thread)?.readUpTo ?? readUpTo });
  }

  /** It is opened: what is not read by now stands below the line. */
  opened(thread: number, readUpTo: number) {
    const pages = this.of(thread);
    if (pages) this.all.set(thread, { ...pages, readUpTo });
  }

  /** Answers which of them were not here yet. */
  append(thread: number, messages: CustomerMessage[]): CustomerMessage[] {
    const last = this.lastOf(thread);
    const fresh = messages.filter((message) => message.seq > last);
    const pages = this.of(thread)!;
    if (fresh.length) this.all.set(thread, { ...pages, messages: [...pages.messages, ...fresh] });
    return fresh;
  }

  /** The page before what is here. */
  prepend(thread: number, messages: CustomerMessage[], hasOlder: boolean) {
    const pages = this.of(thread)!;
    this.all.set(thread, { ...pages, messages: [...messages, ...pages.messages], hasOlder });
  }
}
