/** The jobs as a list, and one job as it is opened, with the links to it. */
import { look, NoSignal, Refused } from "../api";
import { drop, keep, kept } from "../database";
import { News } from "../news";
import type { Customer, Job, Link } from "../shapes";
import { Pages } from "./pages.svelte";
import { session } from "./session.svelte";

export type JobFilter = { q: string; status: "active" | "closed" | "all" };

class Jobs extends Pages<Job> {
  /** Stays as it is while one looks into a job and comes back. */
  filter = $state<JobFilter>({ q: "", status: "active" });

  constructor() {
    super("/api/jobs", "jobs");
  }

  /** Keep the list as it stands at the server; answers how to stop. */
  follow(): () => void {
    void this.#showKept();
    void this.narrow({});
    const news = new News(this.refresh);
    return () => news.stop();
  }

  async narrow(change: Partial<JobFilter>) {
    Object.assign(this.filter, change);
    await this.show(this.filter);
    if (this.#usual && !this.lost) await keep(session.who, "jobs", this.items);
  }

  get #usual() {
    return !this.filter.q.trim() && this.filter.status === "active";
  }

  async #showKept() {
    if (!this.#usual || this.items.length) return;
    const before = await kept<Job[]>(session.who, "jobs");
    if (before && !this.items.length) this.items = before;
  }
}

export const jobList = new Jobs();

/** One job, read without signal too once it was here. */
export class OpenJob {
  job = $state.raw<Job | null>(null);
  links = $state.raw<Link[]>([]);
  gone = $state(false);
  /** It was never here, and the server cannot be reached. */
  missing = $state(false);
  #news: News | null = null;

  constructor(readonly id: number) {}

  /** Keep it as it stands at the server; answers how to stop. */
  follow(): () => void {
    const news = (this.#news = new News(this.refresh));
    void this.#showKept().then(news.now);
    return () => news.stop();
  }

  refresh = async () => {
    try {
      const [job, links] = await Promise.all([look<Job>(`/api/jobs/${this.id}`), this.#askLinks()]);
      this.became(job);
      this.links = links;
      this.gone = false;
      if (this.#underWay) this.#news?.soon();
    } catch (error) {
      if (error instanceof Refused && error.status === 404) this.#lost();
      else if (error instanceof Refused && error.status === 401) session.lost();
      else if (error instanceof NoSignal) this.missing = !this.job;
      else throw error;
    }
  };

  /** It was changed by the person at this screen. */
  became(job: Job) {
    this.job = job;
    this.missing = false;
    void keep(session.who, this.#name, { ...job, at: Date.now() });
  }

  /** It is no longer for this person: neither it nor its customer's address stays on this device. */
  #lost() {
    this.gone = true;
    void drop(session.who, this.#name);
  }

  customerBecame(customer: Customer) {
    if (this.job) this.became({ ...this.job, customer, customer_name: customer.name });
  }

  async #askLinks(): Promise<Link[]> {
    if (!session.office) return [];
    const { sessions } = await look<{ sessions: Link[] }>(`/api/chat/jobs/${this.id}/customer-sessions`);
    return sessions;
  }

  /** Some delivery has not come to its end. */
  get #underWay() {
    return this.links.some(isLive) && this.links.some((link) => link.deliveries.some(isUnderWay));
  }

  async #showKept() {
    const before = await kept<Job>(session.who, this.#name);
    if (before) this.job ??= before;
  }

  get #name() {
    return `job ${this.id}`;
  }
}

export const isUnderWay = ({ status }: Link["deliveries"][number]) =>
  status === "queued" || status === "sending";

export const isLive = (link: Link) => !link.revoked_at && Date.parse(link.expires_at) > Date.now();
