/** Live updates: one stream for all tabs of a browser, and what comes on it is heard in each of them. */
import { Stream, type Told } from "./stream";

/** What the tab that holds the stream tells the others; `ask` is what another asks it. */
type Word = { told: Told; id: string } | { hears: boolean } | "failed" | "ask";

interface Ears {
  hear: (told: Told) => void;
  /** Events arrive, or do not any more. `gap`: something may have happened that nobody here was told. */
  hears: (whether: boolean, gap: boolean) => void;
  failed: () => void;
}

const PULSE_MS = 10_000;
// Browsers let a hidden tab's clock tick once a minute; one that is frozen says nothing at all, and keeps the lock.
const FROZEN_MS = 90_000;

export class Live {
  /** Whether this is the tab that holds the stream. */
  leads = false;
  #last = "";
  #hears = false;
  #toldAt = Date.now();
  #stream: Stream | null = null;
  #channel: BroadcastChannel | null = null;
  #pulse = 0;
  #stopped = new AbortController();

  /** `name` is one for each person on this browser. */
  constructor(
    private path: string,
    private name: string,
    private ears: Ears,
  ) {
    const { signal } = this.#stopped;
    if (typeof BroadcastChannel === "function" && navigator.locks) {
      this.#channel = new BroadcastChannel(name);
      this.#channel.onmessage = ({ data }: MessageEvent<Word>) => this.#heard(data);
      this.#channel.postMessage("ask" satisfies Word);
      this.#pulse = window.setInterval(this.#beat, PULSE_MS);
      void this.#queue({ signal });
    } else void this.#lead(); // browsers before 2022: each tab on its own
    addEventListener("online", this.#wake, { signal });
    document.addEventListener("visibilitychange", this.#wake, { signal });
  }

  stop() {
    this.#stopped.abort();
    this.#stream?.close();
    this.#channel?.close();
    clearInterval(this.#pulse);
  }

  async #queue(options: LockOptions) {
    try {
      await navigator.locks.request(this.name, options, () => this.#lead());
    } catch {
      // Stopped, or another tab took over while this one was frozen.
      this.#resign();
      if (!this.#stopped.signal.aborted) void this.#queue({ signal: this.#stopped.signal });
    }
  }

  async #lead() {
    if (this.#stopped.signal.aborted) return;
    this.leads = true;
    this.#pass({ hears: false });
    this.#stream = new Stream(this.path, this.#last, {
      hear: (told, id) => this.#pass({ told, id }),
      hears: (hears) => this.#pass({ hears }),
      failed: () => this.#pass("failed"),
    });
    await this.#stream.run();
  }

  #resign() {
    this.leads = false;
    this.#stream?.close();
    this.#stream = null;
  }

  #pass(word: Word) {
    this.#channel?.postMessage(word);
    this.#take(word);
  }

  #heard(word: Word) {
    if (word !== "ask") {
      if (!this.leads) this.#take(word);
    } else if (this.leads) this.#channel?.postMessage({ hears: this.#hears } satisfies Word);
  }

  #take(word: Word) {
    if (word === "ask") return;
    this.#toldAt = Date.now();
    if (word === "failed") this.ears.failed();
    else if ("told" in word) {
      this.#last = word.id;
      if (word.told.name) this.ears.hear(word.told);
    } else if (word.hears !== this.#hears) {
      this.#hears = word.hears;
      this.ears.hears(word.hears, !this.#last);
    }
  }

  #beat = () => {
    if (this.leads) this.#channel?.postMessage({ hears: this.#hears } satisfies Word);
    else if (!document.hidden && Date.now() - this.#toldAt > FROZEN_MS) {
      this.#toldAt = Date.now();
      void this.#queue({ steal: true });
    }
  };

  #wake = () => {
    if (document.hidden) return;
    this.#stream?.wake();
    if (this.#channel) this.#beat();
  };
}
