/** The conversations that were opened last: they stay at hand when one goes to another. */
import { Conversation } from "./conversation.svelte";

const AT_ONCE = 30;

export class Opened {
  #all = new Map<number, Conversation>();

  get = (id: number): Conversation | undefined => this.#all.get(id);

  open(id: number): Conversation {
    const conversation = this.#all.get(id) ?? new Conversation(id);
    this.#all.delete(id);
    this.#all.set(id, conversation);
    if (this.#all.size > AT_ONCE) this.#all.delete(this.#all.keys().next().value!);
    return conversation;
  }
}
