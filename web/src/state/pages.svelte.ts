/** A list of the server's, read page by page. */
import { get, look, NoSignal, Refused } from "../api";
import { session } from "./session.svelte";

const PAGE = 50;
const MOST = 100;

export class Pages<T extends { id: number }> {
  items = $state.raw<T[]>([]);
  loading = $state(true);
  /** The server could not be reached: what stands here may be old, or nothing. */
  lost = $state(false);
  #cursor = $state<string | null>(null);
  readonly hasMore = $derived(this.#cursor !== null);

  #pages = 1;
  #asked = 0;
  #query: Record<string, string> = {};

  /** `noun` is what the server calls the list in its answer. */
  constructor(
    private path: string,
    private noun: string,
  ) {}

  /** From the beginning, as `query` wants it; what is empty in it asks for nothing. */
  show(query: Record<string, string>): Promise<void> {
    this.#query = query;
    this.#pages = 1;
    this.loading = true;
    return this.refresh();
  }

  /** What is shown, as it stands now. */
  refresh = async () => {
    const asked = ++this.#asked;
    try {
      const answer = await look<Answer<T>>(this.#address(null, Math.min(MOST, PAGE * this.#pages)));
      if (asked !== this.#asked) return; // a later question is under way
      this.#renew(answer);
    } catch (error) {
      if (asked === this.#asked) this.#failed(error);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  };

  more = async () => {
    if (!this.#cursor || this.loading) return;
    const asked = ++this.#asked;
    this.loading = true;
    try {
      const answer = await get<Answer<T>>(this.#address(this.#cursor, PAGE));
      if (asked !== this.#asked) return;
      this.#take(answer, this.items);
      this.#pages += 1;
    } catch (error) {
      this.#failed(error);
    } finally {
      if (asked === this.#asked) this.loading = false;
    }
  };

  // Of a long list only the top is asked for again; what stands below it stays.
  #renew(answer: Answer<T>) {
    const below = this.#pages * PAGE > MOST ? this.items : [];
    const cursor = this.#cursor;
    this.#take(answer, []);
    if (!below.length || !this.#cursor) return;
    this.items = [...this.items, ...below.filter((one) => !this.items.some((known) => known.id === one.id))];
    this.#cursor = cursor;
  }

  #take(answer: Answer<T>, before: T[]) {
    const found = answer[this.noun] as T[];
    this.items = [...before, ...found.filter((one) => !before.some((known) => known.id === one.id))];
    this.#cursor = answer.next_cursor;
    this.lost = false;
  }

  #failed(error: unknown) {
    if (error instanceof Refused && error.status === 401) session.lost();
    else if (error instanceof NoSignal) this.lost = true;
    else throw error;
  }

  #address(cursor: string | null, limit: number): string {
    const query = new URLSearchParams({ limit: String(limit) });
    for (const [name, value] of Object.entries(this.#query)) if (value.trim()) query.set(name, value.trim());
    if (cursor) query.set("cursor", cursor);
    return `${this.path}?${query}`;
  }
}

type Answer<T> = { next_cursor: string | null } & { [noun: string]: T[] | string | null };
