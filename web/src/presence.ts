/** Whether this page is before somebody's eyes: whoever sees it need not be told by mail. */
import { farewell, post } from "./api";

const EVERY_MS = 45_000;

/** Begin to say so at this address; answers how to stop. */
export function showPresence(path: string): () => void {
  const over = new AbortController();
  const { signal } = over;
  const say = (visible: boolean) => void post(path, { visible }).catch(() => {}); // the next time tells
  const look = () => (document.hidden ? farewell(path, { visible: false }) : say(true));
  document.addEventListener("visibilitychange", look, { signal });
  addEventListener("pagehide", () => farewell(path, { visible: false }), { signal });
  const timer = setInterval(() => document.hidden || say(true), EVERY_MS);
  if (!document.hidden) say(true);
  return () => {
    over.abort();
    clearInterval(timer);
  };
}
