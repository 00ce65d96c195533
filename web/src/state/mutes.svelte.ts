/** The threads of which one does not want to be told. */
import { get, put, remove } from "../api";
import type { Preferences } from "../shapes";

class Mutes {
  #ids = $state.raw<number[] | null>(null);
  /** Whether the server has said which. */
  readonly known = $derived(this.#ids !== null);

  has = (thread: number): boolean => this.#ids?.includes(thread) ?? false;

  /** Another person is at this screen. */
  forget() {
    this.#ids = null;
  }

  async refresh() {
    try {
      this.#ids = (await get<Preferences>("/api/auth/preferences")).muted_thread_ids;
    } catch {
      // then it stays as it was
    }
  }

  /** Raises `Refused` and `NoSignal`. */
  async change(thread: number, muted: boolean) {
    await (muted ? put : remove)(`/api/chat/threads/${thread}/mute`);
    const others = (this.#ids ?? []).filter((id) => id !== thread);
    this.#ids = muted ? [...others, thread] : others;
  }
}

export const mutes = new Mutes();
