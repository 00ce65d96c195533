/** The audit trail, as far as it is read, and what one looks for in it. */
import type { AuditEntry } from "../shapes";
import { Pages } from "./pages.svelte";

export interface AuditFilter {
  /** `staff:3` or `nobody`. */
  actor: string;
  action: AuditEntry["action"] | "";
  job_id: string;
  thread_id: string;
}

class Trail extends Pages<AuditEntry> {
  filter = $state<AuditFilter>({ actor: "", action: "", job_id: "", thread_id: "" });

  constructor() {
    super("/api/audit", "entries");
  }

  narrow(change: Partial<AuditFilter>): Promise<void> {
    Object.assign(this.filter, change);
    return this.show({ ...this.filter });
  }
}

export const trail = new Trail();
