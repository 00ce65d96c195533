/** Which screen the address names. Each thread and job has its own address; back, forward and reload work. */

export type Screen =
  | { name: "messages"; thread: number | null; fresh: boolean }
  | { name: "jobs" }
  | { name: "job"; job: number }
  | { name: "people" }
  | { name: "audit" }
  | { name: "deliveries" }
  | { name: "mails" }
  | { name: "account" }
  | { name: "nowhere" };

class Router {
  /** Whether one has gone anywhere since the page was loaded. */
  moved = false;
  #address = $state(location.pathname + location.search);
  readonly screen: Screen = $derived(screenAt(new URL(this.#address, location.origin)));
  readonly query = $derived(new URL(this.#address, location.origin).searchParams);

  constructor() {
    addEventListener("popstate", () => this.#read());
    document.addEventListener("click", (event) => this.#followed(event));
    // From a notice of the device.
    navigator.serviceWorker?.addEventListener("message", ({ data }) => void (data.go && this.go(data.go)));
  }

  go(address: string, replace = false) {
    history[replace ? "replaceState" : "pushState"](null, "", address);
    this.#read();
  }

  #read() {
    this.moved = true;
    this.#address = location.pathname + location.search;
  }

  // Plain clicks on our own links change the screen; what opens a tab or leaves the app is the browser's.
  #followed(event: MouseEvent) {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const elsewhere = link.target || link.hasAttribute("download") || link.origin !== location.origin;
    if (elsewhere || screenAt(new URL(link.href)).name === "nowhere") return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

function screenAt({ pathname, searchParams }: URL): Screen {
  const [first = "", second = "", ...more] = pathname.split("/").slice(1);
  const id = /^[1-9]\d{0,15}$/.test(second) ? Number(second) : null;
  if (more.length) return { name: "nowhere" };
  if (first === "jobs" && id) return { name: "job", job: id };
  if ((first === "" || first === "messages") && (!second || id || second === "new"))
    return { name: "messages", thread: id, fresh: second === "new" || searchParams.has("new") };
  if (second) return { name: "nowhere" };
  if (
    first === "jobs" ||
    first === "people" ||
    first === "audit" ||
    first === "deliveries" ||
    first === "mails" ||
    first === "account"
  )
    return { name: first };
  return { name: "nowhere" };
}

export const router = new Router();
