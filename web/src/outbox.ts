/** Messages on their way: kept on the phone until the server has them on disk, sent in order, each taken once. */
import { NoSignal, Refused, post } from "./api";
import {
  addOutgoing,
  dropOutgoing,
  type Outgoing,
  outgoing,
  putOutgoing,
  signedIn,
  type Who,
} from "./database";
import { newId } from "./ids";
import type { CustomerMessage, Message } from "./shapes";

export type Stored = Message | CustomerMessage;
type Taken = (message: Stored, was: Outgoing) => void;
/** What is left: nothing that could arrive, what waits for its turn, or for a new sign-in. */
export type Left = "nothing" | "waiting" | "signed out";

/** Kept first, sent later: from here on it survives a reload, a closed page and an empty battery. */
export const write = (who: Who, thread_id: number, body: string): Promise<Outgoing> =>
  addOutgoing({ who, thread_id, body, client_msg_id: newId(), written_at: Date.now() });

/**
 * Send what this person wrote, oldest first. Whatever was sent before and got no answer is sent again under its
 * own id, so that the server knows it.
 */
export const flush = (who: Who, taken: Taken = () => {}): Promise<Left> =>
  alone(async () => {
    // In another tab somebody else may have signed in since: under their name nothing of this goes out.
    if (who.startsWith("staff:") && (await signedIn()) !== who) return "waiting";
    for (const message of await outgoing(who)) {
      if (message.refused) continue;
      try {
        const stored = await sent(message);
        await dropOutgoing(message.number);
        taken(stored, message);
      } catch (error) {
        // A session that has ended can begin again: until then its messages wait, as they do for signal.
        if (isSignedOut(error)) return "signed out";
        if (error instanceof NoSignal) return "waiting";
        if (!(error instanceof Refused)) throw error;
        await putOutgoing({ ...message, refused: error.code });
      }
    }
    return "nothing";
  });

/**
 * One at a time among all tabs and the service worker: two senders would overtake each other. Signing in and
 * out waits here as well, so that nothing is ever sent under another person's session.
 */
export async function alone<T>(doing: () => Promise<T>): Promise<T> {
  let begun = false;
  const once = () => ((begun = true), doing());
  try {
    return (await navigator.locks.request("outbox", once)) as T;
  } catch (error) {
    if (begun) throw error;
    return inTurn(doing);
  }
}

export const retry = ({ refused: _, ...message }: Outgoing) => putOutgoing(message);
export const discard = (message: Outgoing) => dropOutgoing(message.number);

function sent({ who, thread_id, body, client_msg_id }: Outgoing): Promise<Stored> {
  const [kind, id] = who.split(":");
  return kind === "job"
    ? post(`/api/chat/customer/jobs/${id}/thread/messages`, { body, client_msg_id, thread_id })
    : post(`/api/chat/threads/${thread_id}/messages`, { body, client_msg_id });
}

const isSignedOut = (error: unknown) =>
  error instanceof Refused && (error.status === 401 || error.code === "wrong_job");

let last: Promise<unknown> = Promise.resolve();

// Browsers before 2022 have no locks, nor has one that keeps nothing: then only this page is in order.
function inTurn<T>(doing: () => Promise<T>): Promise<T> {
  const turn = last.then(doing, doing);
  last = turn;
  return turn;
}
