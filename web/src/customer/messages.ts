/** A conversation, newest at the bottom: stays where one reads, loads what is older while one scrolls up. */
import type { Line } from "../ui/lines";
import { shared } from "../words/shared";
import { listIn, make, say } from "./elements";
import { type Deeds, message } from "./message";

export interface Shown {
  lines: Line[];
  /** The last line that was read before this conversation was opened. */
  readUpTo: number;
  /** Loads the page before the first line; null where the first line is the very first. */
  older: (() => Promise<void>) | null;
  /** Who is writing at the moment. */
  writing: string[];
}

type Drawn = Line & { fresh?: boolean };

const NEAR = 80;

/** `seen`: the newest line is in view, and the page is being looked at. */
export function messages(deeds: Deeds & { seen: () => void }) {
  const list = make("ol", { "aria-label": shared.messages, tabindex: 0, onscroll: scrolled });
  const loading = make("p", { class: "loading", role: "status" });
  const writing = make("p", { class: "writing", dir: "auto" });
  const below = make("button", { class: "button primary below", onclick: readOn, hidden: true });
  const element = make("div", { class: "messages" }, list, writing, loading, below);
  const draw = listIn<Drawn>(
    list,
    (line) => line.key,
    (line) => item(line, deeds),
  );
  let shown: Shown = { lines: [], readUpTo: 0, older: null, writing: [] };
  let atEnd = true;
  let lastTop = 0;
  let missed = 0; // how many have come while one was reading further up

  function show(now: Shown) {
    const before = shown;
    // The browser tells of scrolling a frame late: a line that comes in between must not carry the reader off.
    if (list.scrollTop !== lastTop) look();
    const fromEnd = list.scrollHeight - list.scrollTop;
    shown = now;
    draw(marked(now));
    say(writing, now.writing.length ? shared.writes(now.writing) : "");
    // What one is looking at stays where it is, however much has come above it.
    if (before.lines[0]?.key !== now.lines[0]?.key) list.scrollTop = list.scrollHeight - fromEnd;
    if (newest(before)?.key !== newest(now)?.key) arrived(before);
    else if (atEnd) toEnd();
  }

  function arrived(before: Shown) {
    const last = newest(before);
    if (last && !atEnd && !newest(shown)?.mine) {
      missed = shown.lines.length - 1 - shown.lines.findIndex((line) => line.key === last.key);
      return tell();
    }
    toEnd();
    scrolled();
    if (last) list.className = "settled";
  }

  function readOn() {
    list.focus();
    toEnd();
  }

  function toEnd() {
    list.scrollTop = list.scrollHeight;
    lastTop = list.scrollTop;
  }

  function look() {
    lastTop = list.scrollTop;
    atEnd = list.scrollHeight - lastTop - list.clientHeight < NEAR;
  }

  function scrolled() {
    look();
    if (atEnd) {
      missed = 0;
      tell();
      if (!document.hidden) deeds.seen();
    }
    if (list.scrollTop < list.clientHeight) void loadOlder();
  }

  function tell() {
    below.hidden = !missed;
    say(below, missed ? `↓ ${shared.goToNewest(missed)}` : "");
  }

  async function loadOlder() {
    if (!shown.older || loading.textContent) return;
    say(loading, `${shared.older}…`);
    await shown.older().catch(() => {});
    say(loading, "");
  }

  // The keyboard of a phone and a growing composer take space from below: the newest line stays in view.
  new ResizeObserver(() => atEnd && toEnd()).observe(list);
  document.addEventListener("visibilitychange", () => list.isConnected && !document.hidden && scrolled());

  return { element, show };
}

const newest = ({ lines }: Shown) => lines[lines.length - 1];

function marked({ lines, readUpTo }: Shown): Drawn[] {
  const first = lines.findIndex((line) => line.seq !== null && line.seq > readUpTo && isNews(line));
  return lines.map((line, at) => (at === first ? { ...line, fresh: true } : line));
}

const isNews = (line: Line) => !line.mine && line.kind === "message";

const item = (line: Drawn, deeds: Deeds) =>
  make(
    "li",
    {},
    line.day && make("p", { class: "day" }, make("span", {}, line.day)),
    line.fresh && make("p", { class: "new" }, make("span", {}, shared.newMessages)),
    line.kind === "event" ? make("p", { class: "event" }, line.body) : message(line, deeds),
  );
