/** Active Chats: the threads one sees, the total of the unread, and the one place where news comes in. */
import { get, look, NoSignal, Refused } from "../api";
import { keep, kept } from "../database";
import { News } from "../news";
import type { Message, Thread, Threads, Visibility } from "../shapes";
import { Conversation } from "./conversation.svelte";
import { Sending } from "./sending.svelte";
import { session } from "./session.svelte";

export interface Filter {
  status: "open" | "closed" | "all";
  visibility: Visibility | "";
  needs_reply: boolean;
  mine: boolean;
  q: string;
}

const EVERYTHING: Filter = { status: "open", visibility: "", needs_reply: false, mine: false, q: "" };
const OPEN_AT_ONCE = 30;

class Inbox {
  threads = $state<Thread[]>([]);
  unread = $state(0);
  filter = $state<Filter>({ ...EVERYTHING });
  loading = $state(true);
  #cursor = $state<string | null>(null);
  readonly hasMore = $derived(this.#cursor !== null);
  readonly filtered = $derived(JSON.stringify(this.filter) !== JSON.stringify(EVERYTHING));

  #pages = 1;
  #asked = 0;
  #news: News | null = null;
  #conversations = new Map<number, Conversation>();
  #current: Conversation | null = null;

  readonly sending = new Sending(
    () => session.who,
    (message) => this.took(message as Message),
  );

  /** Begin to listen for news; answers how to stop. */
  follow(): () => void {
    const news = (this.#news = new News(() => this.look()));
    const told = () => void news.now();
    navigator.serviceWorker?.addEventListener("message", told);
    void this.#showKept().then(news.now);
    return () => {
      news.stop();
      navigator.serviceWorker?.removeEventListener("message", told);
    };
  }

  look = async () => {
    await this.sending.flush();
    await Promise.all([this.#count(), this.refresh(), this.#current?.refresh()]);
  };

  /** The list as the filter wants it, as far as it is shown. */
  async refresh() {
    const asked = ++this.#asked;
    try {
      const page = await look<Threads>(this.#path(null, Math.min(100, 50 * this.#pages)));
      if (asked !== this.#asked) return; // a later question is under way
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
    const page = await get<Threads>(this.#path(this.#cursor, 50));
    this.#pages += 1;
    this.threads.push(
      ...page.threads.filter((thread) => !this.threads.some((known) => known.id === thread.id)),
    );
    this.#cursor = page.next_cursor;
  }

  narrow(change: Partial<Filter>) {
    Object.assign(this.filter, change);
    this.#pages = 1;
    this.loading = true;
    return this.refresh();
  }

  /** The thread that is being read; its conversation stays at hand when one goes to another. */
  open(id: number): Conversation {
    const conversation = this.#conversations.get(id) ?? new Conversation(id);
    this.#conversations.delete(id);
    this.#conversations.set(id, conversation);
    if (this.#conversations.size > OPEN_AT_ONCE)
      this.#conversations.delete(this.#conversations.keys().next().value!);
    this.#current = conversation;
    void conversation.open().then(() => this.#wasRead(conversation));
    return conversation;
  }

  leave(conversation: Conversation) {
    if (this.#current === conversation) this.#current = null;
  }

  /** The end of the current conversation is in view. */
  async seen(conversation: Conversation) {
    await conversation.markRead();
    this.#wasRead(conversation);
  }

  async send(thread: number, body: string) {
    await this.sending.write(thread, body);
    this.#news?.soon();
  }

  /** A thread was made or changed by the person at this screen. */
  became(thread: Thread) {
    const known = this.threads.find((one) => one.id === thread.id);
    if (known) Object.assign(known, thread);
    else void this.refresh();
    this.#conversations.get(thread.id)?.became(thread);
  }

  /** The thread is no longer for this person to see. */
  lost(id: number) {
    this.threads = this.threads.filter((thread) => thread.id !== id);
    if (this.#current?.id === id) this.#current = null;
    this.#conversations.delete(id);
    void this.#count();
  }

  took(message: Message) {
    this.#conversations.get(message.thread_id)?.took(message);
    const thread = this.threads.find((one) => one.id === message.thread_id);
    if (!thread || message.kind !== "message" || message.seq <= thread.last_seq) return;
    thread.last_message = message;
    thread.last_seq = message.seq;
    thread.needs_reply = message.sender.kind === "customer" && thread.visibility === "customer_visible";
    this.threads = [thread, ...this.threads.filter((one) => one !== thread)];
  }

  #wasRead({ id, thread }: Conversation) {
    const known = this.threads.find((one) => one.id === id);
    if (!known || !thread || known.unread_count === thread.unread_count) return;
    known.unread_count = thread.unread_count;
    void this.#count();
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

  #path(cursor: string | null, limit: number): string {
    const { status, visibility, needs_reply, mine, q } = this.filter;
    const query = new URLSearchParams({ status, limit: String(limit) });
    if (visibility) query.set("visibility", visibility);
    if (needs_reply) query.set("needs_reply", "true");
    if (mine) query.set("mine", "true");
    if (q.trim()) query.set("q", q.trim());
    if (cursor) query.set("cursor", cursor);
    return `/api/chat/threads?${query}`;
  }
}

export const inbox = new Inbox();
