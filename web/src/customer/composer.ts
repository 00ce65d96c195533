/** Where the customer writes, and what always says who will read it. */
import { shared } from "../words/shared";
import { words } from "../words/customer";
import { make, say } from "./elements";

const MOST = 10_000;
const COUNTED_FROM = 500;

interface Deeds {
  changed: (body: string) => void;
  send: (body: string) => void;
}

export function composer({ changed, send }: Deeds) {
  const readers = make("p", { id: "readers" });
  const area = make("textarea", {
    "aria-label": shared.write,
    "aria-describedby": "readers",
    placeholder: shared.write,
    dir: "auto",
    rows: 1,
    enterkeyhint: "enter",
    oninput: typed,
    onkeydown: (event) => pressed(event as KeyboardEvent),
  });
  const left = make("p", { role: "status" });
  const button = make("button", { class: "button primary" }, shared.send);
  const element = make(
    "form",
    { onsubmit: submit },
    readers,
    make("div", { class: "row" }, area, button),
    left,
  );

  function typed() {
    changed(area.value);
    fit();
  }

  function fit() {
    const count = MOST - [...area.value.trim()].length;
    say(left, count < 0 ? shared.tooLong(MOST.toLocaleString()) : count < COUNTED_FROM ? String(count) : "");
    left.className = count < 0 ? "mistake" : "";
    area.setAttribute("aria-invalid", String(count < 0));
    area.style.height = "";
    area.style.height = `${area.scrollHeight + 2}px`;
  }

  function submit(event: Event) {
    event.preventDefault();
    const body = area.value.trim();
    if (!body || [...body].length > MOST) return;
    area.value = "";
    typed();
    area.focus();
    send(body);
  }

  // On glass there is no Shift for a new line: there the button sends.
  function pressed(event: KeyboardEvent) {
    const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (sends && !matchMedia("(pointer: coarse)").matches) submit(event);
  }

  return {
    element,
    focus: () => area.focus(),
    show: (company: string) => say(readers, words.readBy(company)),
    /** What was being written when the page was left. */
    fill(draft: string) {
      if (!draft || area.value) return;
      area.value = draft;
      fit();
    },
  };
}
