/** One connection on which the server tells what happens: opened again whenever it breaks, from where it broke. */
import { listen, Refused } from "./api";

export interface Told {
  name: string;
  data: unknown;
}

/** What comes of it. `hears`: events arrive, or do not any more. */
interface Ears {
  hear: (told: Told, id: string) => void;
  hears: (whether: boolean) => void;
  /** It cannot be opened, for the first time: asking for anything else tells why. */
  failed: () => void;
}

// A proxy that keeps an answer back until it is whole lets nothing through at all.
const OPENING_MS = 10_000;
// The server's heart beats every 15 s: a phone that slept, or changed its network, is not told that the line is dead.
const SILENCE_MS = 40_000;
const LONGEST_PAUSE_MS = 60_000;

export class Stream {
  #line = new AbortController();
  #stopped = false;
  #pause = 2_000;
  #failures = 0;
  #awake = () => {};

  /** `last`: the id of the last event that was heard; "" where there was none. */
  constructor(
    private path: string,
    private last: string,
    private ears: Ears,
  ) {}

  /** Until it is closed. */
  async run() {
    while (!this.#stopped) {
      const heard = await this.#listen();
      if (heard) this.ears.hears(false);
      this.#failures = heard ? 0 : this.#failures + 1;
      if (!this.#stopped) await this.#rest();
    }
  }

  /** Something has changed for the better: do not wait any longer. */
  wake = () => this.#awake();

  close() {
    this.#stopped = true;
    this.#line.abort();
    this.#awake();
  }

  /** Answers whether anything came. */
  async #listen(): Promise<boolean> {
    const line = (this.#line = new AbortController());
    const hangUp = () => line.abort();
    let watch = setTimeout(hangUp, OPENING_MS);
    let heard = false;
    try {
      const reader = (await listen(this.path, this.last, line.signal)).getReader();
      const text = new TextDecoder();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return heard;
        clearTimeout(watch);
        watch = setTimeout(hangUp, SILENCE_MS);
        if (!heard) this.ears.hears((heard = true));
        rest = this.#take(rest + text.decode(value, { stream: true }));
      }
    } catch (error) {
      const fails = !heard && !this.#failures && !this.#stopped;
      if (fails || error instanceof Refused) this.ears.failed();
      return heard;
    } finally {
      clearTimeout(watch);
      hangUp();
    }
  }

  /** Answers what is not whole yet. https://html.spec.whatwg.org/multipage/server-sent-events.html */
  #take(text: string): string {
    const blocks = text.split("\n\n");
    const rest = blocks.pop()!;
    for (const block of blocks) this.#block(block);
    return rest;
  }

  #block(block: string) {
    let name = "";
    let data = "";
    for (const line of block.split("\n")) {
      const colon = line.indexOf(": ");
      const value = line.slice(colon + 2);
      const field = line.slice(0, colon);
      if (field === "event") name = value;
      else if (field === "data") data = value;
      else if (field === "id") this.last = value;
      else if (field === "retry") this.#pause = Number(value) || this.#pause;
    }
    if (name && data) this.ears.hear({ name, data: JSON.parse(data) }, this.last);
    else if (this.last) this.ears.hear({ name: "", data: null }, this.last);
  }

  // The server spreads its clients' pauses, so that all do not come back at once.
  #rest(): Promise<void> {
    const pause = Math.min(this.#pause * 2 ** Math.min(this.#failures, 10), LONGEST_PAUSE_MS);
    return new Promise((over) => {
      const timer = setTimeout(over, pause);
      this.#awake = () => (clearTimeout(timer), over());
    });
  }
}
