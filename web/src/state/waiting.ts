/** What the customer wrote on this phone and the server does not have yet, and the sending of it. */
import { outgoing, type Outgoing, type Who } from "../database";
import { discard, flush, type Left, retry, write } from "../outbox";
import type { CustomerMessage } from "../shapes";

export class Waiting {
  waiting: Outgoing[] = [];
  private sending = false;
  private again = false;

  /**
   * `taken` shows what the server now has before it is no longer shown as waiting; `changed`: after each change;
   * `signedOut`: the server takes none from this browser.
   */
  constructor(
    private who: Who,
    private taken: (messages: CustomerMessage[]) => Promise<void>,
    private changed: () => void,
    private signedOut: () => void,
  ) {}

  async write(thread: number, body: string) {
    this.waiting = [...this.waiting, await write(this.who, thread, body)];
    this.changed();
    await this.flush();
  }

  async retry(message: Outgoing) {
    await retry(message);
    await this.reload();
    await this.flush();
  }

  async discard(message: Outgoing) {
    await discard(message);
    await this.reload();
  }

  /** Send what waits; what cannot be sent now is sent at the next look. */
  async flush() {
    this.again = true;
    if (this.sending) return;
    this.sending = true;
    let left: Left = "nothing";
    try {
      while (this.again) {
        this.again = false;
        const stored: CustomerMessage[] = [];
        left = await flush(this.who, (message) => stored.push(message as CustomerMessage));
        if (stored.length) await this.taken(stored);
        await this.reload();
      }
    } finally {
      this.sending = false;
    }
    if (left === "signed out") this.signedOut();
  }

  async reload() {
    this.waiting = await outgoing(this.who);
    this.changed();
  }
}
