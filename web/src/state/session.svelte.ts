/** Who is signed in on this browser: known without signal as well, and the same in every tab. */
import { forget, get, post, Refused } from "../api";
import { dropAllOf, keep, kept, outgoing, setSignedIn, type Who } from "../database";
import { alone } from "../outbox";
import type { User } from "../shapes";

const HINT = "signed in";

// The session's cookie is not for scripts to see. Without this hint there is none, and no need to ask.
function mayHaveSession(): boolean {
  try {
    return localStorage.getItem(HINT) !== null;
  } catch {
    return true; // storage is forbidden here
  }
}

function noteSession(there: boolean) {
  try {
    if (there) localStorage.setItem(HINT, "yes");
    else localStorage.removeItem(HINT);
  } catch {
    // then every start asks
  }
}

class Session {
  user = $state<User | null>(null);
  /** Until then it is not known whether anybody is signed in. */
  ready = $state(false);
  /** The server no longer knows this session: what was read may be read on, writing waits for a new sign-in. */
  ended = $state(false);

  #tabs = new BroadcastChannel("session");

  constructor() {
    this.#tabs.onmessage = () => location.reload();
  }

  get who(): Who {
    return `staff:${this.user?.id}`;
  }

  get office(): boolean {
    return this.user?.role === "admin" || this.user?.role === "dispatcher";
  }

  get admin(): boolean {
    return this.user?.role === "admin";
  }

  async start() {
    this.user = await kept<User>("browser", "user");
    this.ready = this.user !== null;
    if (this.user || mayHaveSession()) await this.check();
    this.ready = true;
  }

  /** Ask the server who one is; without signal it stays as it was. */
  async check() {
    try {
      const { user } = await get<{ user: User }>("/api/auth/me");
      await this.#became(user);
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.lost();
    }
  }

  /** The session has ended elsewhere. What waits on this phone stays until the same person is back. */
  lost() {
    this.ended = true;
    void setSignedIn(null);
  }

  /** Raises `Refused` and `NoSignal`. */
  async signIn(email: string, password: string) {
    const before = this.user;
    const { user } = await alone(async () => {
      const answer = await post<{ user: User }>("/api/auth/login", { email, password });
      await this.#became(answer.user);
      return answer;
    });
    if (before?.id !== user.id) this.#tabs.postMessage("changed");
  }

  /** How many messages would be lost by leaving now. */
  waiting = async () => (await outgoing(this.who)).length;

  /** Raises `NoSignal`: a session that cannot be ended at the server has not ended. */
  async signOut() {
    await alone(async () => {
      await post("/api/auth/logout").catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error;
      });
      await dropAllOf(this.who);
      await keep("browser", "user", null);
      await setSignedIn(null);
    });
    noteSession(false);
    this.#tabs.postMessage("changed");
    forget();
    location.assign("/");
  }

  async #became(user: User) {
    if (this.user && this.user.id !== user.id) forget();
    await keep("browser", "user", user);
    await setSignedIn(`staff:${user.id}`);
    noteSession(true);
    this.user = user;
    this.ended = false;
  }
}

export const session = new Session();
