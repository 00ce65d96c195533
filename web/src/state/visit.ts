/** A customer's visit: the link that let them in, their job, its conversations, and what stands in the way. */
import { get, look, NoSignal, onReach, post } from "../api";
import { keep, kept } from "../database";
import { News } from "../news";
import type { About, CustomerMessage, CustomerThread, CustomerView, Happening } from "../shapes";
import { showPresence } from "../presence";
import type { Trouble } from "../words/customer";
import { Entrance, type Opening } from "./entrance";
import { LastView } from "./lastview";
import { ReadMarks } from "./readmarks";
import { type Pages, Transcripts } from "./transcripts";
import { troubleOf } from "./troubles";
import { Waiting } from "./waiting";
import { Writers } from "./writers";

const TYPING_MS = 3_000;
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
  private readonly all = new Transcripts();
  private readonly last: LastView;
  private readonly writers = new Map<number, Writers>();
  private readonly marks: ReadMarks;
  private readonly entrance: Entrance;
  private entered = false;
  private settling = 0;
  private toldOfTyping = 0;

  constructor(private readonly opening: Opening) {
    this.who = `job:${opening.job}`;
    this.last = new LastView(this.who);
    this.path = `/api/chat/customer/jobs/${opening.job}/thread`;
    this.marks = new ReadMarks(this.path);
    this.entrance = new Entrance(opening, this.path);
    this.sending = new Waiting(
      this.who,
      (messages) => this.took(messages),
      () => this.changed(),
      () => void this.news.now(),
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
    return this.all.of(this.current);
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
    return this.writersIn(this.current).names;
  }

  async choose(id: number) {
    const thread = this.threads.find((one) => one.id === id);
    if (thread) this.all.opened(id, thread.last_read_seq);
    this.current = id;
    this.changed();
    await this.trying(() => this.refresh());
  }

  /** Raises `NoSignal`. */
  older = async () => {
    const id = this.current;
    const before = this.all.of(id)!.messages[0]!.seq;
    const page = await get<CustomerView>(`${this.path}?thread_id=${id}&before_seq=${before}`);
    this.all.prepend(id, page.messages, page.has_more);
    this.changed();
  };

  /** The end of the conversation is in view. */
  seen = () => {
    this.marks.saw(this.current, this.all.lastOf(this.current));
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
  renew = () => this.entrance.renew();

  /** The page is about to begin anew in another language. */
  handOver = () => this.entrance.handOver();

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

  private async enter() {
    const { company, view } = await this.entrance.open();
    if (company) this.company = company;
    this.show(view);
    void this.nameCompany();
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
    else if (happening.name === "typing")
      this.writersIn(happening.data.thread_id).writes(happening.data.name);
    else if (happening.name === "thread.removed") this.settle();
    else if (happening.name === "thread.created" || happening.name === "thread.updated")
      this.become(happening.data.thread);
    this.changed();
  };

  private told(message: CustomerMessage) {
    const { thread_id, seq, sender } = message;
    this.writersIn(thread_id).stopped(sender.name);
    const last = this.all.lastOf(thread_id);
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

  private writersIn(thread: number): Writers {
    const found = this.writers.get(thread) ?? new Writers(() => this.changed());
    this.writers.set(thread, found);
    return found;
  }

  // What cannot be put in its place here is asked for, once for all that happens at a time.
  private settle() {
    clearTimeout(this.settling);
    this.settling = window.setTimeout(this.news.anew, SETTLE_MS);
  }

  private async refresh() {
    const id = this.current;
    const last = this.all.lastOf(id);
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
    if (fresh) this.append(id, fresh);
    else this.all.begin(id, view.messages, view.has_more, last_read_seq);
    if (id === this.current) this.last.keep(this.company, view, this.pages!);
  }

  private append(id: number, messages: CustomerMessage[]) {
    this.heard = this.all.append(id, messages).filter(isTheirs).pop() ?? this.heard;
  }

  // Where others have written in between, or it opened the thread again, all of it is brought in its order.
  private async took(messages: CustomerMessage[]) {
    for (const message of messages) {
      const last = this.all.lastOf(message.thread_id);
      if (last && message.seq === last + 1) this.append(message.thread_id, [message]);
      else return this.trying(() => this.refresh());
    }
  }

  private async mark(id: number) {
    const thread = this.threads.find((one) => one.id === id);
    const now = this.entered && thread ? await this.marks.tell(thread) : null;
    if (!now) return;
    this.threads = this.threads.map((one) => (one.id === id ? { ...one, ...now } : one));
    this.changed();
  }

  private async failed(error: unknown) {
    const trouble = troubleOf(error, this.entrance.byToken);
    if (!trouble) throw error;
    if (error instanceof NoSignal) return this.waitFor(error, trouble);
    if (this.entered && this.entrance.bears(error)) return this.look();
    this.news.stop();
    this.trouble = trouble;
    this.changed(); // before this phone's database is asked for anything
    await this.last.forget();
    await this.nameCompany();
  }

  private async waitFor({ status }: NoSignal, trouble: Trouble) {
    if (!this.job) await this.showKept();
    this.trouble = this.job ? null : trouble;
    if (!this.entered && !status) this.news.soon();
  }

  private async nameCompany() {
    if (this.company) return;
    const name = (await this.last.read())?.company;
    const asked = async () => (await get<About>("/api/about")).company;
    this.company ||= name || (await asked().catch(() => ""));
    this.changed();
  }

  private async showKept() {
    const before = await this.last.read();
    if (!before || this.job) return;
    this.company = before.company;
    this.show(before.view);
  }

  // So that what was told, too, can be read without signal.
  private keepSoon() {
    this.last.soon(() => {
      const { company, job, threads, thread, pages } = this;
      const view = { threads, messages: [], has_more: false };
      if (job && thread && pages) this.last.keep(company, { ...view, job, thread }, pages);
    });
  }

  private reached(reached: boolean) {
    if (this.offline === !reached) return;
    this.offline = !reached;
    this.changed();
  }
}

const isTheirs = ({ kind, sender }: CustomerMessage) => kind === "message" && sender.kind !== "customer";
