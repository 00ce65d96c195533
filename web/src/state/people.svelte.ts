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

/** Every account, active or not, as admins see them. */
class Accounts {
  all = $state.raw<User[]>([]);
  loading = $state(true);
  /** The server could not be reached. */
  lost = $state(false);

  refresh = async () => {
    try {
      this.all = (await look<{ users: User[] }>("/api/users?all=true")).users;
      this.lost = false;
    } catch (error) {
      if (error instanceof Refused && error.status === 401) session.lost();
      else if (error instanceof NoSignal) this.lost = true;
      else throw error;
    } finally {
      this.loading = false;
    }
  };

  /** Added or changed by the person at this screen. */
  async became(user: User) {
    this.all = [...this.all.filter((one) => one.id !== user.id), user];
    if (user.id === session.user?.id) await session.check();
    await this.refresh();
  }
}

export const accounts = new Accounts();
export const colleagues = new Colleagues();
