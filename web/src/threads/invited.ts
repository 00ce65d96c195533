/** Whether the customer of a job hears of what is written to them: only who was sent a link, or opened one, does. */
import { look } from "../api";
import type { Links } from "../shapes";

/** Without signal nobody is warned of what may not be so. */
export async function isInvited(job: number): Promise<boolean> {
  try {
    return (await look<Links>(`/api/chat/jobs/${job}/customer-sessions`)).customer_invited;
  } catch {
    return true;
  }
}
