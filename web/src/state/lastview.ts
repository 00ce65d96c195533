/** What a customer can read without signal: the conversation as it was seen last, kept on this phone. */
import { drop, keep, kept, type Who } from "../database";
import type { CustomerView } from "../shapes";
import type { Pages } from "./transcripts";

interface Kept {
  company: string;
  view: CustomerView;
}

const KEPT = 100;
const SETTLE_MS = 1_000;

export class LastView {
  private keeping = 0;

  constructor(private readonly who: Who) {}

  read = (): Promise<Kept | null> => kept<Kept>(this.who, "view");

  forget(): Promise<void> {
    clearTimeout(this.keeping);
    return drop(this.who, "view");
  }

  keep(company: string, view: CustomerView, { messages, hasOlder }: Pages) {
    const last = messages.slice(-KEPT);
    const has_more = hasOlder || last.length < messages.length;
    void keep(this.who, "view", { company, view: { ...view, messages: last, has_more } });
  }

  /** Once for all that happens at a time. */
  soon(keepNow: () => void) {
    clearTimeout(this.keeping);
    this.keeping = window.setTimeout(keepNow, SETTLE_MS);
  }
}
