/** Names that nobody else gives: for what must be there once, however often it is sent. */

/**
 * Begins with the time: the server finds what was written lately in one place.
 *
 * Not crypto.randomUUID: that wants https, and a demo on a phone in the office has none.
 */
export function newId(): string {
  const chance = crypto.getRandomValues(new Uint8Array(15));
  const hex = Array.from(chance, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return Date.now().toString(16).padStart(12, "0") + hex;
}
