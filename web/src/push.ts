/** Notices of the device while no page is open: this browser's subscription, for the session that is signed in. */
import { get, put, remove } from "./api";

const PATIENCE_MS = 10_000;

/** Answers whether this browser takes notices now; some have no push service, or never answer. */
export async function subscribe(): Promise<boolean> {
  try {
    const { pushManager } = await navigator.serviceWorker.ready;
    const { public_key } = await get<{ public_key: string }>("/api/push/key");
    const options = { userVisibleOnly: true, applicationServerKey: public_key };
    const { endpoint, keys } = (await intime(pushManager.subscribe(options))).toJSON();
    await put("/api/push/subscription", { endpoint, keys });
    return true;
  } catch {
    return false; // mail tells them
  }
}

export async function unsubscribe() {
  const { pushManager } = await navigator.serviceWorker.ready;
  await (await pushManager?.getSubscription())?.unsubscribe();
  await remove("/api/push/subscription").catch(() => {}); // the push service says that it is gone
}

const intime = <T>(doing: Promise<T>): Promise<T> =>
  Promise.race([doing, new Promise<never>((_, late) => setTimeout(late, PATIENCE_MS))]);
