/** The threads in which a customer waits for an answer, whatever the list beside them is narrowed to. */
import { look } from "../api";
import type { Message, Thread, Threads } from "../shapes";
import { answered } from "../threads/waits";

export class WhoWaits {
  threads = $state<Thread[]>([]);

  /** `fresh`: whether nothing was heard meanwhile, which would be younger. */
  async look(fresh: () => boolean) {
    try {
      const { threads } = await look<Threads>("/api/chat/threads?waiting=true&limit=100");
      if (fresh()) this.threads = threads;
    } catch {
      // then it stays as it was
    }
  }

  took(message: Message) {
    const known = this.threads.find((one) => one.id === message.thread_id);
    if (!known || message.seq <= known.last_seq) return;
    known.last_seq = message.seq;
    answered(known, message);
  }

  /** Those that are here already are changed by whoever knows them. */
  became(thread: Thread) {
    // A copy: the list beside it may be narrowed to something else any moment.
    if (thread.waiting_since && !this.threads.some((one) => one.id === thread.id))
      this.threads.push({ ...thread });
  }

  lost(id: number) {
    this.threads = this.threads.filter((thread) => thread.id !== id);
  }
}
