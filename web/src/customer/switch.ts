/** Where a job has several conversations: which one is on the screen, and where there is something new. */
import type { CustomerThread } from "../shapes";
import type { Visit } from "../state/visit";
import { words } from "../words/customer";
import { listIn, make } from "./elements";

type Choice = Pick<CustomerThread, "id" | "subject" | "status" | "unread_count"> & { here: boolean };

export function threadSwitch(visit: Visit) {
  const list = make("ul");
  const element = make("nav", { "aria-label": words.conversations, hidden: true }, list);
  const draw = listIn<Choice>(
    list,
    ({ id }) => String(id),
    (choice) => item(choice, visit),
  );

  let before: Element | null = null;

  function show() {
    element.hidden = visit.threads.length < 2;
    const choices = visit.threads.map(({ id, subject, status, unread_count }) => {
      return { id, subject, status, unread_count, here: id === visit.current };
    });
    draw(choices.sort((one, other) => other.id - one.id)); // they keep their places while one reads
    const here = list.querySelector("[aria-current]");
    if (here && here !== before) here.scrollIntoView({ block: "nearest", inline: "nearest" });
    before = here;
  }

  return { element, show };
}

const item = ({ id, subject, status, unread_count, here }: Choice, visit: Visit) =>
  make(
    "li",
    {},
    make(
      "button",
      { class: "button", "aria-current": here || undefined, onclick: () => visit.choose(id) },
      make("span", {}, subject),
      status === "closed" && make("small", {}, words.closed),
      unread_count > 0 && make("b", {}, words.unread(unread_count)),
    ),
  );
