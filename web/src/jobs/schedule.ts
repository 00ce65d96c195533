/** A job's time, between the server's UTC and what a form shows in the viewer's own zone. */

/** `2026-11-23T09:30`, as an input of type datetime-local wants it; nothing where it is not scheduled. */
export function forInput(at: string | null): string {
  if (!at) return "";
  const moment = new Date(at);
  const local = new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** What the server is told. */
export const fromInput = (local: string): string | null => (local ? new Date(local).toISOString() : null);

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
