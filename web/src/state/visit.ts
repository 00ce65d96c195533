/** A customer's visit: the link that let them in, their job, its conversations, and what stands in the way. */
import { answered, get, identify, look, NoSignal, onReach, post, Refused } from "../api";
import { drop, keep, kept } from "../database";
import { News } from "../news";
import type { About, CustomerMessage, CustomerThread, CustomerView, OpenedLink } from "../shapes";
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
  private readonly news: News;
  private readonly all = new Map<number, Pages>();
  private readonly seenUpTo = new Map<number, number>();
  private entered = false;
  private bearing = false;
  private marking = 0;

  constructor(private opening: Opening) {
    this.who = `job:${opening.job}`;
    this.path = `/api/chat/customer/jobs/${opening.job}/thread`;
    this.sending = new Waiting(
      this.who,
      (messages) => this.took(messages),
      () => this.changed(),
    );
    this.news = new News(this.look);
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
    await this.sending.write(this.current, body);
    this.news.soon();
  };

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
    void this.sending.flush();
    if (!this.current && this.threads[0]) await this.choose(this.threads[0].id); // all are closed
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
