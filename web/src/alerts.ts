/** A sound and a notice of the device for a message that comes while one looks elsewhere: only where asked for. */
import { subscribe, unsubscribe } from "./push";
import type { Message, Thread } from "./shapes";

export interface Alert {
  title: string;
  body: string;
  thread: number;
}

export type Kind = "notice" | "sound";

const LONGEST = 140;
const TONES = [660, 880];

export function wants(kind: Kind): boolean {
  try {
    const asked = localStorage.getItem(kind) === "yes";
    return asked && (kind === "sound" || Notification.permission === "granted");
  } catch {
    return false;
  }
}

/** Answers whether it is so now: the browser asks, too, and may say no. */
export async function want(kind: Kind, whether: boolean): Promise<boolean> {
  if (kind === "notice" && whether && (await Notification.requestPermission()) !== "granted") whether = false;
  if (kind === "sound" && whether) ring();
  if (kind === "notice") void (whether ? subscribe() : unsubscribe());
  localStorage.setItem(kind, whether ? "yes" : "no");
  return whether;
}

export const canNotify = () => "Notification" in window && "serviceWorker" in navigator;

/** Called in one tab of a browser alone. */
export function announce(thread: Thread, message: Message) {
  if (wants("sound")) ring();
  if (wants("notice")) void notify(thread, message);
}

async function notify(thread: Thread, { sender, body }: Message) {
  const alert: Alert = {
    title: `${sender.name} · ${thread.subject}`,
    body: body.length > LONGEST ? `${body.slice(0, LONGEST)}…` : body,
    thread: thread.id,
  };
  const worker = await navigator.serviceWorker.ready;
  worker.active?.postMessage({ alert });
}

function ring() {
  const context = new AudioContext();
  TONES.forEach((frequency, number) => {
    const tone = new OscillatorNode(context, { frequency });
    const volume = new GainNode(context, { gain: 0 });
    const begins = context.currentTime + number * 0.12;
    volume.gain.setValueAtTime(0.15, begins);
    volume.gain.exponentialRampToValueAtTime(0.001, begins + 0.25);
    tone.connect(volume).connect(context.destination);
    tone.start(begins);
    tone.stop(begins + 0.25);
    tone.onended = () => void (number === TONES.length - 1 && context.close());
  });
}
