/** What went out and what waits to, for admins. */
import { get, look, post } from "../api";
import type { AnyDelivery, Deliveries, ThreadDelivery } from "../shapes";
import { Pages } from "./pages.svelte";

type Channel = Deliveries["channels"][number];

class Outgoing extends Pages<AnyDelivery> {
  channels = $state.raw<Channel[]>([]);
  status = $state<AnyDelivery["status"] | "">("");

  constructor() {
    super("/api/deliveries", "deliveries");
  }

  async open(status: AnyDelivery["status"] | "" = "") {
    this.status = status;
    await Promise.all([this.show({ status }), this.#states()]);
  }

  /** Raises `Refused` and `NoSignal`. */
  async test(channel: Channel["channel"]) {
    await post("/api/deliveries/test", { channel });
    await this.open(this.status);
  }

  /** Raises `Refused` and `NoSignal`. */
  async retry({ id }: AnyDelivery) {
    await post(`/api/deliveries/${id}/retry`);
    await this.open(this.status);
  }

  async #states() {
    try {
      this.channels = (await look<Deliveries>("/api/deliveries?limit=1")).channels;
    } catch {
      // the list says that there is no signal
    }
  }
}

export const outgoing = new Outgoing();

/** Who was told of this thread's messages; what cannot be asked now is not shown. */
export async function toldOf(thread: number): Promise<ThreadDelivery[]> {
  try {
    return (await get<{ deliveries: ThreadDelivery[] }>(`/api/chat/threads/${thread}/deliveries`)).deliveries;
  } catch {
    return [];
  }
}
