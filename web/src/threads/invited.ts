/** Whether the customer of a job hears of what is written to them: only who was sent a link, or opened one, does. */
import { look } from "../api";
import type { Link } from "../shapes";

/** Without signal nobody is warned of what may not be so. */
export async function isInvited(job: number): Promise<boolean> {
  try {
    const { sessions } = await look<{ sessions: Link[] }>(`/api/chat/jobs/${job}/customer-sessions`);
    return sessions.some(leadsSomewhere);
  } catch {
    return true;
  }
}

const leadsSomewhere = ({ revoked_at, use_count, deliveries }: Link) =>
  !revoked_at &&
  (use_count > 0 || deliveries.some(({ status }) => status !== "failed" && status !== "cancelled"));
