/** Where news arrives: told on a stream, and asked for where none gets through. Asking alone must do. */
import { Live } from "./live";
import type { Happening } from "./shapes";

const EVERY_MS = 30_000;
// What one is told is enough; this finds what nobody told.
const WHILE_TOLD_MS = 300_000;
const SOON_MS = 3_000;
const SOON_FOR_MS = 30_000;

interface Source<M, T> {
  /** The address of the stream, and a name for it on this browser. */
  path: string;
  name: string;
  hear: (happening: Happening<M, T>) => void;
}

export class News<M = unknown, T = unknown> {
  #timer = 0;
  #soonUntil = 0;
  #looking = false;
  #again = false;
  #told = false;
  #live: Live | null = null;
  #stopped = new AbortController();

  /** `look` asks for what is new, and never throws; without a stream it is asked alone. */
  constructor(
    private look: () => Promise<void>,
    private stream: Source<M, T> | null = null,
  ) {
    const { signal } = this.#stopped;
    addEventListener("online", this.now, { signal });
    addEventListener("pageshow", this.now, { signal });
    document.addEventListener("visibilitychange", () => void (document.hidden || this.now()), { signal });
    this.#wait();
  }

  /** Begin to be told. Until then, and whenever the stream breaks, it is asked. */
  listen() {
    if (!this.stream || this.#stopped.signal.aborted) return;
    const { path, name, hear } = this.stream;
    this.#live ??= new Live(path, name, {
      hear: (told) => (told.name === "resync" ? this.anew() : hear(told as Happening<M, T>)),
      hears: (told, gap) => this.#hears(told, gap),
      failed: this.anew,
    });
  }

  /** Whether it comes by itself, at the moment. */
  get told(): boolean {
    return this.#told;
  }

  /** Whether this is the one tab that speaks for all tabs of this browser. */
  get leads(): boolean {
    return this.#live?.leads ?? false;
  }

  /** Something was just sent: an answer may be near. */
  soon() {
    this.#soonUntil = Date.now() + SOON_FOR_MS;
    this.#wait();
  }

  now = async () => {
    if (this.#looking || this.#stopped.signal.aborted) return;
    this.#looking = true;
    this.#again = false;
    try {
      await this.look();
    } finally {
      this.#looking = false;
      this.#wait();
    }
    if (this.#again) void this.now();
  };

  /** Something has happened: a look that is under way may be too early for it. */
  anew = () => {
    this.#again = true;
    void this.now();
  };

  stop() {
    this.#stopped.abort();
    this.#live?.stop();
    clearTimeout(this.#timer);
  }

  #hears(told: boolean, gap: boolean) {
    this.#told = told;
    if (told && gap) this.anew();
    // It may be the end of a right, or of the signal: asking tells which.
    else if (!told) this.soon();
    else this.#wait();
  }

  #wait() {
    clearTimeout(this.#timer);
    if (this.#stopped.signal.aborted) return;
    this.#timer = window.setTimeout(() => (document.hidden ? this.#wait() : void this.now()), this.#pause);
  }

  get #pause(): number {
    if (this.#told) return WHILE_TOLD_MS;
    return Date.now() < this.#soonUntil ? SOON_MS : EVERY_MS;
  }
}
