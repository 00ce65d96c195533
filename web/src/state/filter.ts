/** What the list of threads can be narrowed to, and how the server is asked for that. */
import type { Visibility } from "../shapes";

export interface Filter {
  status: "open" | "closed" | "all";
  visibility: Visibility | "";
  needs_reply: boolean;
  mine: boolean;
  q: string;
}

export const EVERYTHING: Filter = { status: "open", visibility: "", needs_reply: false, mine: false, q: "" };

export const isNarrowed = (filter: Filter): boolean => JSON.stringify(filter) !== JSON.stringify(EVERYTHING);

export function addressOf(filter: Filter, cursor: string | null, limit: number): string {
  const { status, visibility, needs_reply, mine, q } = filter;
  const query = new URLSearchParams({ status, limit: String(limit) });
  if (visibility) query.set("visibility", visibility);
  if (needs_reply) query.set("needs_reply", "true");
  if (mine) query.set("mine", "true");
  if (q.trim()) query.set("q", q.trim());
  if (cursor) query.set("cursor", cursor);
  return `/api/chat/threads?${query}`;
}
