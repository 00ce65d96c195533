/// <reference types="svelte" />
/// <reference types="vite/client" />

/** Told to the service worker by its build: the paths of the shell, and what they are a version of. */
declare const __FILES__: string[];
declare const __VERSION__: string;

/** Background Sync, which Chromium has and TypeScript does not know. */
interface ServiceWorkerRegistration {
  sync?: { register(tag: string): Promise<void> };
}
interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}
interface ServiceWorkerGlobalScopeEventMap {
  sync: SyncEvent;
}
