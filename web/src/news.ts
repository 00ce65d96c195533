/** Where news arrives. Today by asking: every 30 s, faster after sending, not while nobody looks. */

const EVERY_MS = 30_000;
const SOON_MS = 3_000;
const SOON_FOR_MS = 30_000;

export class News {
  #timer = 0;
  #soonUntil = 0;
  #looking = false;
  #stopped = new AbortController();

  /** `look` asks for what is new, and never throws. */
  constructor(private look: () => Promise<void>) {
    const { signal } = this.#stopped;
    addEventListener("online", this.now, { signal });
    addEventListener("pageshow", this.now, { signal });
    document.addEventListener("visibilitychange", () => void (document.hidden || this.now()), { signal });
    this.#wait();
  }

  /** Something was just sent: an answer may be near. */
  soon() {
    this.#soonUntil = Date.now() + SOON_FOR_MS;
    this.#wait();
  }

  now = async () => {
    if (this.#looking || this.#stopped.signal.aborted) return;
    this.#looking = true;
    try {
      await this.look();
    } finally {
      this.#looking = false;
      this.#wait();
    }
  };

  stop() {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  #wait() {
    clearTimeout(this.#timer);
    if (this.#stopped.signal.aborted) return;
    const pause = Date.now() < this.#soonUntil ? SOON_MS : EVERY_MS;
    this.#timer = window.setTimeout(() => (document.hidden ? this.#wait() : void this.now()), pause);
  }
}
