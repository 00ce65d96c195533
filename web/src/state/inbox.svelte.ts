/** Active Chats: the threads one sees, the total of the unread, and the one place where news comes in. */
import { announce } from "../alerts";
import { get, look, NoSignal, post, Refused } from "../api";
import { dropOldest, keep, kept } from "../database";
import { News } from "../news";
import type { Happening, Message, Thread, Threads } from "../shapes";
import { answered, longestFirst } from "../threads/waits";
import type { Conversation } from "./conversation.svelte";
import { addressOf, EVERYTHING, type Filter, isNarrowed } from "./filter";
import { mutes } from "./mutes.svelte";
import { Opened } from "./opened";
import { Sending } from "./sending.svelte";
import { session } from "./session.svelte";
import { WhoWaits } from "./whowaits.svelte";

type ReadMark = Extract<Happening<Message, Thread>, { name: "read" }>["data"];

const SETTLE_MS = 1_000;
const TYPING_MS = 3_000;

class Inbox {
  threads = $state<Thread[]>([]);
  /** Show those alone in which a customer waits for an answer. */
  onlyWaiting = $state(false);
  #waits = new WhoWaits();
  /** The longest first. */
  readonly waiting = $derived.by(() => {
    const here = new Map([...this.#waits.threads, ...this.threads].map((thread) => [thread.id, thread]));
    return longestFirst([...here.values()]);
  });
  unread = $state(0);
  filter = $state<Filter>({ ...EVERYTHING });
  loading = $state(true);
  #cursor = $state<string | null>(null);
  readonly hasMore = $derived(this.#cursor !== null);
  readonly filtered = $derived(isNarrowed(this.filter));

  #pages = 1;
  #asked = 0;
  /** Counts what one was told: what was asked before that may be older than it. */
  #heard = 0;
  #settling = 0;
  #toldOfTyping = 0;
  #news: News<Message, Thread> | null = null;
  #conversations = new Opened();
  #current: Conversation | null = null;

  readonly sending = new Sending(
    () => session.who,
    (message) => this.took(message as Message),
    () => session.lost(),
  );

  /** Begin to listen for news; answers how to stop. */
  follow(): () => void {
    const news = (this.#news = new News<Message, Thread>(this.look, {
      path: "/api/chat/events",
      name: `live ${session.who}`,
      hear: (happening) => this.#hear(happening),
    }));
    const told = ({ data }: MessageEvent) => void (data === "outbox" && news.now());
    navigator.serviceWorker?.addEventListener("message", told);
    void this.#showKept()
      .then(news.now)
      .then(() => news.listen())
      .then(() => Promise.all(["thread ", "job "].map((names) => dropOldest(session.who, names))));
    mutes.forget();
    void mutes.refresh();
    return () => {
      clearTimeout(this.#settling);
      news.stop();
      navigator.serviceWorker?.removeEventListener("message", told);
    };
  }

  look = async () => {
    await this.sending.flush();
    const heard = this.#heard;
    const fresh = () => heard === this.#heard;
    await Promise.all([this.#count(), this.refresh(), this.#waits.look(fresh), this.#current?.refresh()]);
    if (!fresh()) this.#settle();
  };

  /** The list as the filter wants it, as far as it is shown. */
  async refresh() {
    const asked = ++this.#asked;
    const heard = this.#heard;
    try {
      const page = await look<Threads>(addressOf(this.filter, null, Math.min(100, 50 * this.#pages)));
      if (asked !== this.#asked) return; // a later question is under way
      if (heard !== this.#heard && !this.loading) return this.#settle();
      this.threads = page.threads;
      this.#cursor = page.next_cursor;
      if (!this.filtered) await keep(session.who, "threads", page.threads);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) session.lost();
      else if (!(error instanceof NoSignal)) throw error;
    } finally {
      this.loading = false;
    }
  }

  async more() {
    if (!this.#cursor) return;
    const page = await get<Threads>(addressOf(this.filter, this.#cursor, 50));
    this.#pages += 1;
    this.threads.push(
      ...page.threads.filter((thread) => !this.threads.some((known) => known.id === thread.id)),
    );
    this.#cursor = page.next_cursor;
  }

  narrow(change: Partial<Filter>) {
    this.onlyWaiting = false;
    Object.assign(this.filter, change);
    this.#pages = 1;
    this.loading = true;
    return this.refresh();
  }

  /** The thread that is being read. */
  open(id: number): Conversation {
    const conversation = this.#conversations.open(id);
    this.#current = conversation;
    void conversation.open().then(() => this.#wasRead(conversation));
    return conversation;
  }

  leave(conversation: Conversation) {
    if (this.#current === conversation) this.#current = null;
  }

  /** The end of the current conversation is in view. */
  async seen(conversation: Conversation) {
    const known = this.#known(conversation.id);
    const before = known[0]?.unread_count;
    if (conversation.readsAll) for (const one of known) one.unread_count = 0;
    await conversation.markRead();
    this.#wasRead(conversation, before);
  }

  async send(thread: number, body: string) {
    await this.sending.write(thread, body);
    this.#toldOfTyping = 0;
    if (!this.#news?.told) this.#news?.soon();
  }

  /** Let the others know that one is writing, now and then. */
  typing(thread: number) {
    if (!this.#news?.told || Date.now() - this.#toldOfTyping < TYPING_MS) return;
    this.#toldOfTyping = Date.now();
    post(`/api/chat/threads/${thread}/typing`).catch(() => {}); // then they do not know
  }

  /** A thread was made or changed by the person at this screen. */
  became(thread: Thread) {
    if (!this.threads.some((one) => one.id === thread.id)) void this.refresh();
    this.#becomes(thread);
    this.#conversations.get(thread.id)?.became(thread);
  }

  /** The thread is no longer for this person to see. */
  lost(id: number) {
    this.#conversations.get(id)?.lost();
    this.threads = this.threads.filter((thread) => thread.id !== id);
    if (!this.filtered) void keep(session.who, "threads", $state.snapshot(this.threads));
    this.#waits.lost(id);
    void this.#count();
  }

  took(message: Message) {
    this.#conversations.get(message.thread_id)?.took(message);
    this.#waits.took(message);
    const thread = this.threads.find((one) => one.id === message.thread_id);
    if (!thread) return this.#settle();
    if (message.seq <= thread.last_seq) return;
    if (this.filtered || message.seq > thread.last_seq + 1) this.#settle();
    thread.last_seq = message.seq;
    if (message.kind === "message") this.#lastSaid(thread, message);
    this.threads = [thread, ...this.threads.filter((one) => one !== thread)];
  }

  #lastSaid(thread: Thread, message: Message) {
    const { kind, id } = message.sender;
    const mine = kind === "staff" && id === session.user?.id;
    thread.last_message = message;
    answered(thread, message);
    thread.needs_reply = kind === "customer" && thread.status === "open";
    thread.unread_count = mine ? 0 : thread.unread_count + 1;
    if (mine) thread.last_read_seq = message.seq;
    else this.#announce(thread, message);
  }

  #announce(thread: Thread, message: Message) {
    const within = thread.participants.some((person) => person.id === session.user?.id);
    const reading = this.#current?.id === thread.id && document.hasFocus();
    if (within && !reading && !mutes.has(thread.id) && this.#news?.leads) announce(thread, message);
  }

  #hear(happening: Happening<Message, Thread>) {
    this.#heard += 1;
    if (happening.name === "message.created") this.took(happening.data.message);
    else if (happening.name === "unread") this.unread = happening.data.unread_count;
    else if (happening.name === "thread.removed") this.lost(happening.data.thread_id);
    else if (happening.name === "typing")
      this.#conversations.get(happening.data.thread_id)?.writes(happening.data.name);
    else if (happening.name === "read") this.#read(happening.data);
    else if (happening.name !== "resync") this.#changed(happening.data.thread, happening.name);
  }

  #read({ thread_id, kind, user_id, last_read_seq }: ReadMark) {
    this.#conversations.get(thread_id)?.wasRead(kind, user_id, last_read_seq);
  }

  #changed(thread: Thread, how: "thread.created" | "thread.updated") {
    this.#conversations.get(thread.id)?.heard(thread);
    const { status } = this.filter;
    const known = this.threads.find((one) => one.id === thread.id);
    const moved = !known || thread.status !== known.status;
    this.#becomes(thread);
    if (this.filtered && moved) this.#settle();
    else if (status !== "all" && thread.status !== status)
      this.threads = this.threads.filter((one) => one.id !== thread.id);
    else if (known) return;
    else if (how === "thread.created") this.threads = [thread, ...this.threads];
    else this.#settle();
  }

  /** Wherever it is shown. */
  #known(id: number): Thread[] {
    return [...this.threads, ...this.#waits.threads].filter((one) => one.id === id);
  }

  #becomes(thread: Thread) {
    for (const one of this.#known(thread.id)) Object.assign(one, thread);
    this.#waits.became(thread);
  }

  // What cannot be put in its place here is asked for, once for all that happens at a time.
  #settle() {
    clearTimeout(this.#settling);
    this.#settling = window.setTimeout(() => this.#news?.anew(), SETTLE_MS);
  }

  #wasRead({ id, thread }: Conversation, before?: number) {
    const known = this.#known(id);
    if (!known.length || !thread) return;
    before ??= known[0]!.unread_count;
    for (const one of known) one.unread_count = thread.unread_count;
    if (before !== thread.unread_count) void this.#count();
  }

  async #count() {
    try {
      this.unread = (await look<{ unread_count: number }>("/api/chat/unread-count")).unread_count;
    } catch {
      // then it stays as it was
    }
  }

  async #showKept() {
    const before = await kept<Thread[]>(session.who, "threads");
    if (before && this.loading) {
      this.threads = before;
      this.unread = before.reduce((sum, thread) => sum + thread.unread_count, 0);
    }
  }
}

export const inbox = new Inbox();
