/** How long a customer has been waiting for an answer, and what ends that. */
import type { Message, Thread } from "../shapes";
import { minute } from "../state/minute.svelte";
import { lasted } from "../words/times";

export const waitingFor = (thread: Thread): string =>
  lasted(minute.now - new Date(thread.waiting_since ?? minute.now).getTime());

/** As the server counts it: from the first message of the customer until one of the staff. */
export function answered(thread: Thread, { kind, sender, created_at }: Message) {
  if (kind !== "message" || thread.visibility !== "customer_visible") return;
  if (sender.kind === "customer") thread.waiting_since ??= created_at;
  else Object.assign(thread, { waiting_since: null, claimed_by: null, escalated: 0 });
}

export function longestFirst(threads: Thread[]): Thread[] {
  return threads
    .filter((thread) => thread.waiting_since)
    .sort((a, b) => a.waiting_since!.localeCompare(b.waiting_since!) || a.id - b.id);
}
