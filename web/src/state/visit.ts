/** A customer's visit: the link that let them in, their job, its conversations, and what stands in the way. */
import { answered, get, identify, look, NoSignal, onReach, post, Refused } from "../api";
import { drop, keep, kept } from "../database";
import { News } from "../news";
import type { About, CustomerMessage, CustomerThread, CustomerView, Happening, OpenedLink } from "../shapes";
import { showPresence } from "../presence";
import type { Trouble } from "../words/customer";
import { troubleOf } from "./troubles";
import { Waiting } from "./waiting";

/** What customer.html asked before the rest of the page was there. */
export interface Opening {
  job: number;
  token: string | null;
  answer: Promise<Response> | null;
}

/** One conversation, as far as it is here. */
interface Pages {
  messages: CustomerMessage[];
  hasOlder: boolean;
  /** What had been read when it was opened: the line "new messages" stands after it. */
  readUpTo: number;
}

interface Kept {
  company: string;
  view: CustomerView;
}

type Marked = Pick<CustomerThread, "last_read_seq" | "unread_count">;

const KEPT = 100;
const TYPING_MS = 3_000;
const WRITES_FOR_MS = 6_000;
const SETTLE_MS = 1_000;

export class Visit {
  job: CustomerView["job"] | null = null;
  company = "";
  threads: CustomerThread[] = [];
  /** Which conversation is on the screen; 0 while none is. */
  current = 0;
  trouble: Trouble | null = null;
  /** The newest message that came while one was looking on. */
  heard: CustomerMessage | null = null;
  offline = !navigator.onLine;
  /** Told after each change. */
  changed = () => {};

  readonly sending: Waiting;
  private readonly who: string;
  private readonly path: string;
  private readonly news: News<CustomerMessage, CustomerThread>;
  private readonly all = new Map<number, Pages>();
  private readonly seenUpTo = new Map<number, number>();
  private entered = false;
  private bearing = false;
  private marking = 0;
  private settling = 0;
  private keeping = 0;
  private toldOfTyping = 0;
  private readonly writers = new Map<string, number>();

  constructor(private opening: Opening) {
    this.who = `job:${opening.job}`;
    this.path = `/api/chat/customer/jobs/${opening.job}/thread`;
    this.sending = new Waiting(
      this.who,
      (messages) => this.took(messages),
      () => this.changed(),
    );
    this.news = new News(this.look, {
      path: `/api/chat/customer/jobs/${opening.job}/events`,
      name: `live ${this.who}`,
      hear: this.hear,
    });
    onReach((reached) => this.reached(reached));
    addEventListener("offline", () => this.reached(false));
  }

  start() {
    void this.news.now();
    void this.sending.reload();
  }

  get thread(): CustomerThread | undefined {
    return this.threads.find((thread) => thread.id === this.current);
  }

  get pages(): Pages | undefined {
    return this.all.get(this.current);
  }

  get unread(): number {
    return this.threads.reduce((sum, thread) => sum + thread.unread_count, 0);
  }

  send = async (body: string) => {
    this.toldOfTyping = 0;
    await this.sending.write(this.current, body);
    if (!this.news.told) this.news.soon();
  };

  /** Let the company know that one is writing, now and then. */
  typing() {
    if (!this.news.told || Date.now() - this.toldOfTyping < TYPING_MS) return;
    this.toldOfTyping = Date.now();
    post(`${this.path}/typing`, { thread_id: this.current }).catch(() => {}); // then they do not know
  }

  /** Who is writing in this conversation, by name. */
  get writing(): string[] {
    const here = `${this.current} `;
    return [...this.writers.keys()]
      .filter((key) => key.startsWith(here))
      .map((key) => key.slice(here.length));
  }

  async choose(id: number) {
    const thread = this.threads.find((one) => one.id === id);
    if (thread && this.all.has(id)) this.put(id, { readUpTo: thread.last_read_seq });
    this.current = id;
    this.changed();
    await this.trying(() => this.refresh());
  }

  /** Raises `NoSignal`. */
  older = async () => {
    const id = this.current;
    const before = this.all.get(id)!.messages[0]!.seq;
    const page = await get<CustomerView>(`${this.path}?thread_id=${id}&before_seq=${before}`);
    this.put(id, { messages: [...page.messages, ...this.all.get(id)!.messages], hasOlder: page.has_more });
    this.changed();
  };

  /** The end of the conversation is in view. */
  seen = () => {
    this.seenUpTo.set(this.current, this.lastOf(this.current));
    void this.mark(this.current);
  };

  /** What is being written there: it survives a reload. */
  draft(thread: number) {
    const name = `draft ${thread}`;
    return {
      read: async () => (await kept<string>(this.who, name)) ?? "",
      write: (body: string) => void keep(this.who, name, body),
    };
  }

  /** Ask for a new link with the one that has expired. Raises `NoSignal`. */
  renew = () => post("/api/chat/customer/link", { job_id: this.opening.job, token: this.opening.token });

  /** The page is about to begin anew in another language: for no longer than that the token leaves its memory. */
  handOver() {
    if (!this.opening.token) return;
    try {
      sessionStorage.setItem("token", this.opening.token);
    } catch {
      // storage is forbidden here: the cookie has to do
    }
  }

  private look = async () => {
    await this.trying(async () => {
      if (this.entered) await this.sending.flush();
      await (this.entered ? this.refresh() : this.enter());
      await this.mark(this.current);
    });
  };

  private async trying(doing: () => Promise<void>) {
    try {
      await doing();
      this.trouble = null;
    } catch (error) {
      await this.failed(error);
    }
    this.changed();
  }

  // The token's answer brings with it all that the first screen shows; without a token the cookie lets one in.
  private async enter() {
    const { job, token, answer } = this.opening;
    this.opening.answer = null;
    if (token) {
      const exchange = () => post<OpenedLink>("/api/chat/customer/session", { job_id: job, token });
      const opened = await (answer ? answered<OpenedLink>(answer) : exchange());
      this.company = opened.company;
      this.show(opened.view);
    } else {
      this.show(await (answer ? answered<CustomerView>(answer) : get<CustomerView>(this.path)));
      void this.nameCompany();
    }
    this.entered = true;
    this.trouble = null;
    this.changed();
    this.news.listen();
    showPresence(`/api/chat/customer/jobs/${this.opening.job}/presence`);
    void this.sending.flush();
    if (!this.current && this.threads[0]) await this.choose(this.threads[0].id); // all are closed
  }

  private hear = (happening: Happening<CustomerMessage, CustomerThread>) => {
    if (happening.name === "message.created") this.told(happening.data.message);
    else if (happening.name === "typing") this.writes(happening.data.thread_id, happening.data.name);
    else if (happening.name === "thread.removed") this.settle();
    else if (happening.name === "thread.created" || happening.name === "thread.updated")
      this.become(happening.data.thread);
    this.changed();
  };

  private told(message: CustomerMessage) {
    const { thread_id, seq, sender } = message;
    this.stopped(`${thread_id} ${sender.name}`);
    const last = this.lastOf(thread_id);
    if (last && seq === last + 1) (this.append(thread_id, [message]), this.keepSoon());
    else if (seq > last && thread_id === this.current) this.settle();
    if (isTheirs(message) && (thread_id !== this.current || document.hidden))
      this.threads = this.threads.map((one) =>
        one.id === thread_id && seq > one.last_read_seq
          ? { ...one, unread_count: one.unread_count + 1 }
          : one,
      );
  }

  private become(thread: CustomerThread) {
    const known = this.threads.some((one) => one.id === thread.id);
    if (!known) this.threads = [thread, ...this.threads];
    else this.threads = this.threads.map((one) => (one.id === thread.id ? thread : one));
    if (!this.current) void this.choose(thread.id);
  }

  private writes(thread: number, name: string) {
    const key = `${thread} ${name}`;
    clearTimeout(this.writers.get(key));
    const over = () => (this.stopped(key), this.changed());
    this.writers.set(key, window.setTimeout(over, WRITES_FOR_MS));
  }

  private stopped(key: string) {
    clearTimeout(this.writers.get(key));
    this.writers.delete(key);
  }

  // What cannot be put in its place here is asked for, once for all that happens at a time.
  private settle() {
    clearTimeout(this.settling);
    this.settling = window.setTimeout(this.news.anew, SETTLE_MS);
  }

  private async refresh() {
    const id = this.current;
    const last = this.lastOf(id);
    const asked = id ? `${this.path}?thread_id=${id}` : this.path;
    const view = await look<CustomerView>(last ? `${asked}&after_seq=${last}` : asked);
    if (!last) this.show(view);
    // Away for so long that the way through the middle would take longer than to begin at the end.
    else if (view.has_more) this.show(await get<CustomerView>(asked));
    else this.show(view, view.messages);
  }

  /** `fresh`: what continues the messages that are here; without it they begin anew. */
  private show(view: CustomerView, fresh?: CustomerMessage[]) {
    this.job = view.job;
    this.threads = view.threads;
    if (!view.thread) return;
    const { id, last_read_seq } = view.thread;
    this.current ||= id;
    const readUpTo = this.all.get(id)?.readUpTo ?? last_read_seq;
    if (fresh) this.append(id, fresh);
    else this.put(id, { messages: view.messages, hasOlder: view.has_more, readUpTo });
    if (id === this.current) void this.keep(view);
  }

  private append(id: number, messages: CustomerMessage[]) {
    const last = this.lastOf(id);
    const fresh = messages.filter((message) => message.seq > last);
    if (!fresh.length) return;
    this.put(id, { messages: [...this.all.get(id)!.messages, ...fresh] });
    this.heard = fresh.filter(isTheirs).pop() ?? this.heard;
  }

  // Where others have written in between, or it opened the thread again, all of it is brought in its order.
  private async took(messages: CustomerMessage[]) {
    for (const message of messages) {
      const last = this.lastOf(message.thread_id);
      if (last && message.seq === last + 1) this.append(message.thread_id, [message]);
      else return this.trying(() => this.refresh());
    }
  }

  private async mark(id: number) {
    const thread = this.threads.find((one) => one.id === id);
    const seq = this.seenUpTo.get(id) ?? 0;
    if (!this.entered || !thread || seq <= Math.max(thread.last_read_seq, this.marking)) return;
    this.marking = seq;
    try {
      const now = await post<Marked>(`${this.path}/read`, { thread_id: id, up_to_seq: seq });
      this.threads = this.threads.map((one) => (one.id === id ? { ...one, ...now } : one));
      this.changed();
    } catch {
      // the next look tries again
    } finally {
      this.marking = 0;
    }
  }

  private async failed(error: unknown) {
    const trouble = troubleOf(error, this.opening.token !== null);
    if (!trouble) throw error;
    if (error instanceof NoSignal) return this.waitFor(error, trouble);
    // Let in by the token, and unknown at the next step: this browser keeps no cookies.
    if (this.entered && this.opening.token && !this.bearing && isUnknown(error)) {
      this.bearing = true;
      identify(this.opening.token);
      return this.look();
    }
    this.news.stop();
    this.trouble = trouble;
    await drop(this.who, "view");
    await this.nameCompany();
  }

  private async waitFor({ status }: NoSignal, trouble: Trouble) {
    if (!this.job) await this.showKept();
    this.trouble = this.job ? null : trouble;
    if (!this.entered && !status) this.news.soon();
  }

  private async nameCompany() {
    const name = (await kept<Kept>(this.who, "view"))?.company;
    const asked = async () => (await get<About>("/api/about")).company;
    this.company ||= name || (await asked().catch(() => ""));
    this.changed();
  }

  private async showKept() {
    const before = await kept<Kept>(this.who, "view");
    if (!before || this.job) return;
    this.company = before.company;
    this.show(before.view);
  }

  private keep(view: CustomerView) {
    const { messages, hasOlder } = this.pages!;
    const last = messages.slice(-KEPT);
    const has_more = hasOlder || last.length < messages.length;
    return keep(this.who, "view", { company: this.company, view: { ...view, messages: last, has_more } });
  }

  // So that what was told, too, can be read without signal.
  private keepSoon() {
    clearTimeout(this.keeping);
    this.keeping = window.setTimeout(() => {
      const { job, threads, thread } = this;
      if (job && thread) void this.keep({ job, threads, thread, messages: [], has_more: false });
    }, SETTLE_MS);
  }

  private put(id: number, change: Partial<Pages>) {
    this.all.set(id, { ...this.all.get(id)!, ...change });
  }

  private lastOf(id: number): number {
    const messages = this.all.get(id)?.messages ?? [];
    return messages[messages.length - 1]?.seq ?? 0;
  }

  private reached(reached: boolean) {
    if (this.offline === !reached) return;
    this.offline = !reached;
    this.changed();
  }
}

const isTheirs = ({ kind, sender }: CustomerMessage) => kind === "message" && sender.kind !== "customer";
const isUnknown = (error: unknown) => error instanceof Refused && error.code === "not_authenticated";
