/** Why there are no messages to be seen, in plain words, and the way on where there is one. */
import { NoSignal } from "../api";
import type { Outgoing } from "../database";
import type { Visit } from "../state/visit";
import { type Trouble, words } from "../words/customer";
import { listIn, make, say } from "./elements";
import { written } from "./message";

export function troubleShown(visit: Visit, trouble: Trouble) {
  const passes = trouble === "offline" || trouble === "busy";
  const { title, text } = words.troubles[trouble];
  const answer = make("p", { class: "answer", role: "status", tabindex: -1 });
  const button = make("button", { class: "button primary", onclick: renew }, words.newLink);
  const kept = make("p", {}, words.notSent);
  const list = make("ul");
  const element = make(
    "main",
    { class: "trouble" },
    make("div", { role: passes ? "status" : "alert" }, make("h1", {}, title), make("p", {}, text)),
    trouble === "expired" && button,
    answer,
    kept,
    list,
  );
  const draw = listIn<Outgoing>(
    list,
    (one) => one.client_msg_id,
    (one) => make("li", {}, written(one.body), discard(one)),
  );
  const discard = (one: Outgoing) =>
    make("button", { class: "button danger", onclick: () => visit.sending.discard(one) }, words.discard);

  async function renew() {
    button.disabled = true;
    try {
      await visit.renew();
      say(answer, words.linkAsked);
      answer.focus(); // a button that can no longer be pressed loses the keyboard
    } catch (error) {
      if (!(error instanceof NoSignal)) throw error;
      say(answer, error.status === 429 ? words.busy : words.noAnswer);
      button.disabled = false;
      button.focus();
    }
  }

  function show() {
    kept.hidden = !visit.sending.waiting.length;
    draw(visit.sending.waiting);
  }

  return { element, show };
}
