/** One try to have something done by the server, and what it said against it: at its field, or of the whole. */
import { tick } from "svelte";
import { NoSignal, Refused, TooMany } from "../api";
import { backTo } from "../ui/focus";
import { forms, mistakeOf } from "../words/forms";
import { session } from "./session.svelte";

interface Told {
  /** The field that it is about; left out, it is about the whole. */
  field?: string;
  says: string;
}

/** What is said of a refusal that belongs to this form, by its code. */
type Known = Record<string, Told>;

export class Attempt<Field extends string = never> {
  busy = $state(false);
  problem = $state("");
  at = $state<Partial<Record<Field, string>>>({});

  /** `fields` are those that the form shows: a mistake elsewhere is told of the whole. */
  constructor(
    private fields: readonly Field[] = [],
    private known: Known = {},
  ) {}

  /** Something that may be repeated without harm. Answers whether it was done. */
  make = (doing: () => Promise<void>) => this.#try(doing, forms.noSignal);

  /** Something that repeated would be there twice. */
  makeOnce = (doing: () => Promise<void>) => this.#try(doing, forms.perhaps);

  say(field: Field, says: string) {
    this.at[field] = says;
    void this.#toField();
  }

  forget() {
    this.problem = "";
    this.at = {};
  }

  async #try(doing: () => Promise<void>, unanswered: string): Promise<boolean> {
    if (this.busy) return false;
    const pressed = document.activeElement;
    this.busy = true;
    this.forget();
    try {
      await doing();
      return true;
    } catch (error) {
      if (error instanceof Refused) this.#refused(error);
      else if (error instanceof TooMany) this.problem = forms.tooMany;
      else if (error instanceof NoSignal) this.problem = navigator.onLine ? unanswered : forms.noSignal;
      else throw error;
      return false;
    } finally {
      this.busy = false;
      void this.#toField(pressed);
    }
  }

  #refused({ status, code, errors }: Refused) {
    const known = this.known[code];
    if (known) this.#tell(known.field ?? "", known.says);
    else if (errors.length) for (const { field, message } of errors) this.#tell(field, mistakeOf(message));
    else if (status === 403) this.problem = forms.forbidden;
    else if (status === 404) this.problem = forms.gone;
    else if (status === 401) this.#ended();
    else this.problem = forms.refused;
  }

  #tell(path: string, says: string) {
    const field = this.fields.find((one) => path === one || path.startsWith(`${one}[`));
    if (field) this.at[field] = says;
    else this.problem = says;
  }

  #ended() {
    session.lost();
    this.problem = forms.ended;
  }

  // Whoever types or listens goes on at the first mistake; or at the button, which lost the keyboard while busy.
  async #toField(pressed: Element | null = null) {
    await tick();
    const mistake = document.querySelector<HTMLElement>("form [aria-invalid='true']");
    if (mistake) mistake.focus();
    else backTo(pressed);
  }
}
