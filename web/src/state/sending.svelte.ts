/** What one person wrote on this phone and the server does not have yet, and the sending of it. */
import type { Outgoing, Who } from "../database";
import { outgoing } from "../database";
import { discard, flush, retry, type Stored, write } from "../outbox";

export class Sending {
  waiting = $state<Outgoing[]>([]);
  #sending = false;
  #again = false;

  /** `taken` is told of each message that the server now has; `signedOut` where it takes none from this browser. */
  constructor(
    private who: () => Who,
    private taken: (message: Stored, was: Outgoing) => void,
    private signedOut: () => void,
  ) {}

  async write(thread: number, body: string) {
    this.waiting.push(await write(this.who(), thread, body));
    await this.flush();
  }

  async retry(message: Outgoing) {
    await retry($state.snapshot(message));
    await this.#reload();
    await this.flush();
  }

  async discard(message: Outgoing) {
    await discard($state.snapshot(message));
    await this.#reload();
  }

  /** Send what waits; what cannot be sent now is sent by the browser itself, where it can, or at the next try. */
  async flush() {
    this.#again = true;
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#again) {
        this.#again = false;
        const left = await flush(this.who(), this.taken);
        await this.#reload();
        if (left === "signed out") this.signedOut();
        // Not waited for: there are browsers that never answer.
        if (left !== "nothing") void askForSync();
      }
    } finally {
      this.#sending = false;
    }
  }

  async #reload() {
    this.waiting = await outgoing(this.who());
  }
}

// Chromium sends it later even with the page closed; other browsers at the next visit.
async function askForSync() {
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.sync?.register("outbox").catch(() => {});
}
