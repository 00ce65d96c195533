/** Whether the server can be reached, as far as the last attempt tells. */
import { onReach } from "../api";

class Connection {
  lost = $state(!navigator.onLine);

  constructor() {
    addEventListener("offline", () => (this.lost = true));
    onReach((reached) => (this.lost = !reached));
  }
}

export const connection = new Connection();
