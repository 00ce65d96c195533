/** The only IndexedDB: what was written and has not been taken yet, drafts, and what may be read without signal. */
import { openDB, type DBSchema } from "idb";

/** Who wrote or read it on this phone: `staff:3`, or for a customer `job:12`. */
export type Who = string;

export interface Outgoing {
  /** Counts up on this phone: the order of writing. */
  number: number;
  who: Who;
  thread_id: number;
  client_msg_id: string;
  body: string;
  written_at: number;
  /** The server's word, when it refused for good; it then waits for its writer's decision. */
  refused?: string;
}

interface Dated {
  /** When it was kept, in ms. */
  at?: number;
}

// A thread kept is some 100 kB: without an end, a year of a dispatcher's would fill their phone.
const KEPT_AT_MOST = 250;
const KEPT_AFTERWARDS = 200;

interface Schema extends DBSchema {
  outbox: { key: number; value: Outgoing; indexes: { who: Who } };
  kept: { key: [Who, string]; value: unknown };
}

const opened = open();
opened.catch(() => {}); // whoever asks is told

// Not only may it fail: where cookies are forbidden, the very word indexedDB raises.
async function open() {
  return openDB<Schema>("jobthread", 1, {
    upgrade(db) {
      db.createObjectStore("outbox", { keyPath: "number", autoIncrement: true }).createIndex("who", "who");
      db.createObjectStore("kept");
    },
  });
}

/** What was written where the browser keeps nothing: sent while this page is open. Numbered below zero. */
const unkept = new Map<number, Outgoing>();
let lastUnkept = 0;

/** Everything that this person wrote and nobody has taken, in the order of writing. */
export async function outgoing(who: Who): Promise<Outgoing[]> {
  const saved = await opened.then(
    (db) => db.getAllFromIndex("outbox", "who", who),
    () => [],
  );
  return [...saved, ...[...unkept.values()].filter((message) => message.who === who)];
}

export async function addOutgoing(message: Omit<Outgoing, "number">): Promise<Outgoing> {
  try {
    const number = await (await opened).add("outbox", message as Outgoing);
    return { ...message, number };
  } catch {
    const number = --lastUnkept;
    unkept.set(number, { ...message, number });
    return { ...message, number };
  }
}

export async function putOutgoing(message: Outgoing): Promise<void> {
  if (message.number < 0) unkept.set(message.number, message);
  else await (await opened).put("outbox", message);
}

export async function dropOutgoing(number: number): Promise<void> {
  if (number < 0) unkept.delete(number);
  else await (await opened).delete("outbox", number);
}

/** What was kept for this person under that name; null where nothing was, or the browser keeps nothing. */
export async function kept<T>(who: Who, name: string): Promise<T | null> {
  try {
    return ((await (await opened).get("kept", [who, name])) as T) ?? null;
  } catch {
    return null;
  }
}

/** Keep it for reading without signal. A full disk or a private window must not stop anybody from working. */
export async function keep(who: Who, name: string, value: unknown): Promise<void> {
  try {
    await (await opened).put("kept", value, [who, name]);
  } catch {
    // then it is not there without signal
  }
}

/** Of what is kept by names that begin so, each with the time `at` which that was, the last alone stay. */
export async function dropOldest(who: Who, names: string): Promise<void> {
  try {
    const db = await opened;
    const all = IDBKeyRange.bound([who, names], [who, names + "\uffff"]);
    if ((await db.count("kept", all)) <= KEPT_AT_MOST) return;
    const found: { key: [Who, string]; at: number }[] = [];
    const { store, done } = db.transaction("kept", "readwrite");
    for await (const { key, value } of store.iterate(all)) found.push({ key, at: (value as Dated).at ?? 0 });
    found.sort((one, other) => other.at - one.at);
    for (const { key } of found.slice(KEPT_AFTERWARDS)) void store.delete(key);
    await done;
  } catch {
    // then they stay a little longer
  }
}

export const drop = (who: Who, name: string) =>
  opened.then((db) => db.delete("kept", [who, name])).catch(() => {});

/** Which member of staff this browser's session belongs to. */
export const signedIn = () => kept<Who>("browser", "signed in");
export const setSignedIn = (who: Who | null) => keep("browser", "signed in", who);

/** Signed out: nothing of what this person read or wrote stays behind. */
export async function dropAllOf(who: Who): Promise<void> {
  const db = await opened;
  await db.delete("kept", IDBKeyRange.bound([who, ""], [who, "\uffff"]));
  for (const message of await outgoing(who)) await db.delete("outbox", message.number);
}
