/** How far a customer has seen each conversation, and that the server hears of it. */
import { post } from "../api";
import type { CustomerThread } from "../shapes";

type Marked = Pick<CustomerThread, "last_read_seq" | "unread_count">;

export class ReadMarks {
  private readonly seenUpTo = new Map<number, number>();
  private marking = 0;

  constructor(private readonly path: string) {}

  saw(thread: number, seq: number) {
    this.seenUpTo.set(thread, seq);
  }

  /** How it stands by then; null where there is nothing to tell, or nobody hears it. */
  async tell({ id, last_read_seq }: CustomerThread): Promise<Marked | null> {
    const seq = this.seenUpTo.get(id) ?? 0;
    if (seq <= Math.max(last_read_seq, this.marking)) return null;
    this.marking = seq;
    try {
      return await post<Marked>(`${this.path}/read`, { thread_id: id, up_to_seq: seq });
    } catch {
      return null; // the next look tries again
    } finally {
      this.marking = 0;
    }
  }
}
