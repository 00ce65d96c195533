/** One thread as it is read: its messages as far as they are here, who has read them, and the way to more. */
import { get, look, NoSignal, post, Refused } from "../api";
import { drop, keep, kept } from "../database";
import type { Message, Messages, ReadBy, Thread } from "../shapes";
import { answered } from "../threads/waits";
import { session } from "./session.svelte";
import { Writers } from "./writers";

const PAGE = 50;
const KEPT = 200;
const FAR_BEHIND = 300;
const KEEP_AFTER_MS = 1_000;

interface Kept {
  thread: Thread;
  messages: Message[];
  hasOlder: boolean;
}

export class Conversation {
  thread = $state<Thread | null>(null);
  messages = $state.raw<Message[]>([]);
  reads = $state.raw<ReadBy[]>([]);
  hasOlder = $state(false);
  /** The server says that there is no such thread, or that it is not for this person. */
  gone = $state(false);
  /** What had been read when it was opened: the line "new messages" stands after it. */
  readUpTo = $state<number | null>(null);
  ready = $state(false);
  /** Who is writing at the moment, by name. */
  writing = $state.raw<string[]>([]);
  /** Counts what one was told of the thread: what was asked before that may be older, and arrive after it. */
  #told = 0;
  #marked = 0;
  #keeping = 0;
  #writers = new Writers((names) => (this.writing = names));

  constructor(readonly id: number) {}

  get path() {
    return `/api/chat/threads/${this.id}`;
  }

  /** Show what is on this phone at once, then what is new. */
  async open() {
    if (!this.ready) {
      const before = await kept<Kept>(session.who, this.#name);
      if (before && !this.ready) {
        this.thread = before.thread;
        this.messages = before.messages;
        this.hasOlder = before.hasOlder;
        this.ready = true;
      }
    }
    this.readUpTo = this.thread?.last_read_seq ?? null;
    await this.refresh();
    await this.markRead();
  }

  async refresh() {
    const told = this.#told;
    const gone = this.gone;
    try {
      const [thread, page] = await Promise.all([look<Thread>(this.path), this.#newer()]);
      if (this.gone !== gone) return; // answered before they were taken out, or in
      this.readUpTo ??= thread.last_read_seq;
      if (told === this.#told || !this.thread) this.#renew(thread);
      this.reads = page.reads;
      this.gone = false;
      this.ready = true;
      await this.#keep();
    } catch (error) {
      if (error instanceof Refused && error.status === 404) this.lost();
      else if (error instanceof Refused && error.status === 401) session.lost();
      else if (!(error instanceof NoSignal)) throw error;
    }
  }

  /** A message that is known to be stored, from wherever the news of it came. A hole before it heals by asking. */
  took(message: Message) {
    if (message.seq <= this.#last || !this.ready) return;
    this.#writers.stopped(message.sender.name);
    if (message.seq > this.#last + 1) return void this.refresh();
    this.messages = [...this.messages, message];
    if (this.thread && message.seq > this.thread.last_seq) {
      this.thread.last_seq = message.seq;
      answered(this.thread, message);
    }
    clearTimeout(this.#keeping);
    this.#keeping = window.setTimeout(() => this.#keep(), KEEP_AFTER_MS);
  }

  /** Raises `NoSignal`. */
  older = async () => {
    const first = this.messages[0];
    if (!first || !this.hasOlder) return;
    const page = await get<Messages>(`${this.path}/messages?before_seq=${first.seq}&limit=${PAGE}`);
    this.messages = [...page.messages, ...this.messages.filter((m) => m.seq >= first.seq)];
    this.hasOlder = page.has_more;
  };

  /** All that is here has been seen. */
  async markRead() {
    const seq = this.#last;
    if (!this.thread || seq <= Math.max(this.thread.last_read_seq, this.#marked)) return;
    this.#marked = seq;
    try {
      const answer = await post<{ last_read_seq: number; unread_count: number }>(`${this.path}/read`, {
        up_to_seq: seq,
      });
      Object.assign(this.thread, answer);
    } catch {
      this.#marked = 0; // the next look tries again
    }
  }

  became(thread: Thread) {
    this.#told += 1;
    this.thread = thread;
    void this.refresh();
  }

  /** As the server tells it: its rows come by themselves. */
  heard(thread: Thread) {
    this.#told += 1;
    if (this.gone) void this.refresh();
    else if (this.ready) this.#renew(thread);
  }

  /** It is no longer for this person: nothing of it stays on this device. */
  lost() {
    clearTimeout(this.#keeping);
    this.gone = true;
    void drop(session.who, this.#name);
  }

  wasRead(kind: ReadBy["kind"], id: number, last_read_seq: number) {
    const known = this.reads.find((read) => read.kind === kind && read.id === id);
    if (!known) return void (this.ready && this.refresh());
    const moved = { ...known, last_read_seq: Math.max(known.last_read_seq, last_read_seq) };
    this.reads = this.reads.map((read) => (read === known ? moved : read));
  }

  writes = (name: string) => this.#writers.writes(name);

  #renew(thread: Thread) {
    if (!this.thread || thread.last_seq >= this.thread.last_seq) this.thread = thread;
  }

  /** Whether all that the server has is here. */
  get readsAll(): boolean {
    return this.ready && this.#last >= (this.thread?.last_seq ?? 0);
  }

  get #last() {
    return this.messages.at(-1)?.seq ?? 0;
  }

  get #name() {
    return `thread ${this.id}`;
  }

  async #newer(): Promise<Messages> {
    let page = await look<Messages>(
      `${this.path}/messages?${this.#last ? `after_seq=${this.#last}&` : ""}limit=${PAGE}`,
    );
    if (!this.#last) {
      this.messages = page.messages;
      this.hasOlder = page.has_more;
      return page;
    }
    this.#append(page);
    for (let pages = 1; page.has_more && pages * PAGE < FAR_BEHIND; pages++) {
      page = await get<Messages>(`${this.path}/messages?after_seq=${this.#last}&limit=${PAGE}`);
      this.#append(page);
    }
    return page.has_more ? this.#startAnew() : page;
  }

  // Away for so long that the way through the middle would take longer than to begin at the end.
  async #startAnew(): Promise<Messages> {
    const page = await get<Messages>(`${this.path}/messages?limit=${PAGE}`);
    this.messages = page.messages;
    this.hasOlder = page.has_more;
    return page;
  }

  #append(page: Messages) {
    const fresh = page.messages.filter((message) => message.seq > this.#last);
    if (fresh.length) this.messages = [...this.messages, ...fresh];
  }

  async #keep() {
    const messages = this.messages.slice(-KEPT);
    const hasOlder = this.hasOlder || messages.length < this.messages.length;
    const thread = $state.snapshot(this.thread);
    await keep(session.who, this.#name, { thread, messages, hasOlder, at: Date.now() });
  }
}
