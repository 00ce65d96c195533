/** What stands between a customer and their messages, out of the server's refusals. */
import { NoSignal, Refused } from "../api";
import type { Trouble } from "../words/customer";

const NAMES: Record<string, Trouble> = {
  link_expired: "expired",
  link_revoked: "revoked",
  job_inactive: "closed",
  wrong_job: "otherJob",
};

/** Answers null where the error is none of the link's. */
export function troubleOf(error: unknown, hasToken: boolean): Trouble | null {
  if (error instanceof NoSignal) return error.status === 429 ? "busy" : "offline";
  if (!(error instanceof Refused)) return null;
  const known = NAMES[error.code];
  if (known === "expired" && !hasToken) return "ended";
  if (known) return known;
  if (hasToken) return "wrong";
  return navigator.cookieEnabled ? "noLink" : "cookies";
}
