/// <reference lib="webworker" />
/** The staff app's service worker: it opens without signal, and sends what waits although no page is open. */
import type { Alert } from "./alerts";
import { signedIn } from "./database";
import { flush } from "./outbox";

declare const self: ServiceWorkerGlobalScope;

interface Pushed {
  title: string;
  body: string;
  path: string;
  badge: number;
}

const CACHE = `shell-${__VERSION__}`;
const SHELL = "/";
const SCREENS = /^\/(|messages|jobs|people|audit|deliveries|account)(\/[^/]*)?$/;
const PATIENCE_MS = 3_000;

self.addEventListener("install", (event) => {
  event.waitUntil(keepShell().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOlder().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (origin !== location.origin) return;
  if (event.request.mode === "navigate") {
    if (SCREENS.test(pathname)) event.respondWith(shell(event.request));
  } else if (__FILES__.includes(pathname)) {
    event.respondWith(file(event.request));
  }
});

self.addEventListener("sync", (event) => {
  if (event.tag === "outbox") event.waitUntil(sendAll());
});

self.addEventListener("message", (event) => {
  if (event.data?.alert) event.waitUntil(show(event.data.alert));
});

self.addEventListener("push", (event) => {
  if (event.data) event.waitUntil(pushed(event.data.json()));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(go(`/messages/${event.notification.data.thread}`));
});

// Browsers insist that each push is shown.
async function pushed({ title, body, path, badge }: Pushed) {
  const thread = Number(path.split("/").pop());
  const how = { body, tag: `thread ${thread}`, icon: "/icons/icon-192.png", data: { thread } };
  await self.registration.showNotification(title, how);
  await self.navigator.setAppBadge?.(badge).catch(() => {});
}

// Whoever has the app before them sees it there.
async function show({ title, body, thread }: Alert) {
  const pages = await self.clients.matchAll({ type: "window" });
  if (pages.some((page) => page.visibilityState === "visible" && page.focused)) return;
  const how = { body, tag: `thread ${thread}`, icon: "/icons/icon-192.png", data: { thread } };
  await self.registration.showNotification(title, how);
}

async function go(path: string) {
  const [page] = await self.clients.matchAll({ type: "window" });
  if (!page) return void (await self.clients.openWindow(path));
  await page.focus();
  page.postMessage({ go: path });
}

async function keepShell() {
  const cache = await caches.open(CACHE);
  await cache.addAll([SHELL, ...__FILES__]);
}

// The page of today, where the network gives it in time; else the one that is kept.
async function shell(request: Request): Promise<Response> {
  const saved = await caches.match(SHELL);
  try {
    const response = await fetch(request, saved ? { signal: AbortSignal.timeout(PATIENCE_MS) } : {});
    return response.ok || !saved ? response : saved;
  } catch (error) {
    if (saved) return saved;
    throw error;
  }
}

const file = async (request: Request) => (await caches.match(request)) ?? fetch(request);

// A page that is still open was made of the version before: its files stay until the next one comes.
async function dropOlder() {
  const mine = (name: string) => name.startsWith("shell-");
  const older = (await caches.keys()).filter((name) => mine(name) && name !== CACHE);
  for (const name of older.slice(0, -1)) await caches.delete(name);
}

async function sendAll() {
  const who = await signedIn();
  const left = who ? await flush(who) : "nothing";
  for (const page of await self.clients.matchAll()) page.postMessage("outbox");
  if (left !== "nothing") throw new Error("not all was sent: the browser asks again later");
}
