/** One message: who, when, what, and for one's own what has become of it. */
import type { Line } from "../ui/lines";
import { shared } from "../words/shared";
import { momentOf, timeOf } from "../words/times";
import { make } from "./elements";

export interface Deeds {
  retry: (line: Line) => void;
  discard: (line: Line) => void;
}

const STATES = {
  sent: shared.sent,
  sending: shared.sending,
  waiting: shared.waiting,
  refused: shared.failed,
};
const ADDRESS = /(https?:\/\/[^\s<>"]*[^\s<>"'.,;:!?)\]])/;

export function message(line: Line, deeds: Deeds): HTMLElement {
  const begins = line.begins ? " begins" : "";
  return make(
    "div",
    { class: `message${line.mine ? " mine" : ""}${begins}`, "data-state": line.state },
    line.begins && whoAndWhen(line),
    make("div", { class: "bubble" }, written(line.body)),
    line.mine &&
      line.state !== "sent" &&
      make("p", { class: "state" }, STATES[line.state], line.why && `. ${line.why}`),
    line.state === "refused" && choices(line, deeds),
  );
}

const whoAndWhen = (line: Line) =>
  make(
    "p",
    { class: "who" },
    make("b", {}, line.mine ? shared.you : line.name),
    !line.mine && line.role && make("span", { class: "role" }, line.role),
    make("time", { datetime: new Date(line.at).toISOString(), title: momentOf(line.at) }, timeOf(line.at)),
  );

const choices = (line: Line, { retry, discard }: Deeds) =>
  make(
    "p",
    { class: "choices" },
    make("button", { class: "button", onclick: () => retry(line) }, shared.retry),
    make("button", { class: "button danger", onclick: () => discard(line) }, shared.discard),
  );

/** Text and nothing but text, save that its web addresses can be followed. */
export function written(text: string): HTMLElement {
  const parts = text.split(ADDRESS).map((part, at) => (at % 2 ? link(part) : part));
  return make("p", { class: "written", dir: "auto" }, ...parts);
}

const link = (href: string) =>
  make("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, href);
