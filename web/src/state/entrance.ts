/** How a customer gets in: by the token of their link, and from then on by a cookie. */
import { answered, get, identify, post, Refused } from "../api";
import type { CustomerView, OpenedLink } from "../shapes";
import { language } from "../words/language";

/** What customer.html asked before the rest of the page was there. */
export interface Opening {
  job: number;
  token: string | null;
  answer: Promise<Response> | null;
}

export class Entrance {
  private bearing = false;

  constructor(
    private readonly opening: Opening,
    private readonly path: string,
  ) {}

  get byToken(): boolean {
    return this.opening.token !== null;
  }

  /** The token's answer brings with it all that the first screen shows; without a token the company is not told. */
  async open(): Promise<{ company: string; view: CustomerView }> {
    const { job, token, answer } = this.opening;
    this.opening.answer = null;
    if (token) {
      const exchange = () => post<OpenedLink>("/api/chat/customer/session", { job_id: job, token, language });
      return answer ? answered<OpenedLink>(answer) : exchange();
    }
    return {
      company: "",
      view: await (answer ? answered<CustomerView>(answer) : get<CustomerView>(this.path)),
    };
  }

  /** Let in by the token, and unknown at the next step: this browser keeps no cookies. Once it is shown each time. */
  bears(error: unknown): boolean {
    const unknown = error instanceof Refused && error.code === "not_authenticated";
    if (!unknown || !this.opening.token || this.bearing) return false;
    this.bearing = true;
    identify(this.opening.token);
    return true;
  }

  /** Ask for a new link with the one that has expired. Raises `NoSignal`. */
  renew = () =>
    post("/api/chat/customer/link", { job_id: this.opening.job, token: this.opening.token, language });

  /** The page is about to begin anew in another language: for no longer than that the token leaves its memory. */
  handOver() {
    if (!this.opening.token) return;
    try {
      sessionStorage.setItem("token", this.opening.token);
    } catch {
      // storage is forbidden here: the cookie has to do
    }
  }
}
