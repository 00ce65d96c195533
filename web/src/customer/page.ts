/** What a customer sees: the company, their job, the conversation about it; or what stands in the way. */
import type { Visit } from "../state/visit";
import { words } from "../words/customer";
import { chooseLanguage, language } from "../words/language";
import { conversation } from "./conversation";
import { make, say } from "./elements";
import { threadSwitch } from "./switch";
import { troubleShown } from "./trouble";

interface Part {
  element: HTMLElement;
  show: () => void;
}

const OTHER = language === "en" ? "es" : "en";

/** Answers how to bring it up to date. */
export function page(visit: Visit): () => void {
  const company = make("p", { class: "company" });
  const title = make("h1");
  const reference = make("p", { class: "reference muted small" });
  const notice = make("div", { class: "notice", role: "status" });
  const heard = make("p", { class: "unseen", role: "status" });
  const threads = threadSwitch(visit);
  let part: Part = { element: make("main", { "aria-busy": true }), show() {} };
  let partIs = "";

  document.body.replaceChildren(
    make(
      "div",
      { class: "page" },
      make("header", {}, make("div", {}, company, otherLanguage(visit)), title, reference),
      notice,
      threads.element,
      part.element,
      heard,
    ),
  );

  function show() {
    const { job, trouble, unread, current } = visit;
    const seen = trouble ? null : job;
    say(company, visit.company);
    say(title, seen?.title ?? "");
    say(reference, seen ? words.job(seen.reference) : "");
    say(notice, seen && visit.offline ? words.offline : "");
    say(heard, visit.heard ? words.said(visit.heard.sender.name, visit.heard.body) : "");
    document.title = `${unread && seen ? `(${unread}) ` : ""}${visit.company || words.yourMessages}`;
    threads.show();
    if (trouble) put(trouble, () => troubleShown(visit, trouble));
    else if (job) put(String(current), () => conversation(visit, current));
    part.show();
  }

  function put(name: string, begin: () => Part) {
    if (name === partIs) return;
    const next = begin();
    part.element.replaceWith(next.element);
    part = next;
    partIs = name;
  }

  return show;
}

const otherLanguage = (visit: Visit) =>
  make(
    "button",
    { class: "button plain", lang: OTHER, onclick: () => (visit.handOver(), chooseLanguage(OTHER)) },
    words.otherLanguage,
  );
