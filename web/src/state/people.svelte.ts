/** The colleagues of this company, as far as they can be chosen; readable without signal once they were here. */
import { look, NoSignal, Refused } from "../api";
import { keep, kept } from "../database";
import type { User } from "../shapes";
import { session } from "./session.svelte";

class Colleagues {
  /** Active staff, by name. */
  all = $state.raw<User[]>([]);
  /** Nothing is here, and the server cannot be reached. */
  missing = $state(false);

  async refresh() {
    if (!this.all.length) this.all = (await kept<User[]>(session.who, "colleagues")) ?? [];
    try {
      const { users } = await look<{ users: User[] }>("/api/users");
      this.all = users.toSorted((a, b) => a.name.localeCompare(b.name));
      await keep(session.who, "colleagues", users);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) session.lost();
      else if (!(error instanceof NoSignal)) throw error;
    }
    this.missing = !this.all.length;
  }
}

export const colleagues = new Colleagues();
