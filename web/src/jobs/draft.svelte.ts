/** A job as it is being written down. */
import type { Job } from "../shapes";
import { forInput, fromInput } from "./schedule";

export class JobDraft {
  title = $state("");
  reference = $state("");
  scheduled = $state("");
  assignees = $state<number[]>([]);

  constructor(job?: Job) {
    if (!job) return;
    this.title = job.title;
    this.reference = job.reference;
    this.scheduled = forInput(job.scheduled_at);
    this.assignees = job.assignees.map((one) => one.id);
  }

  /** As a new job tells it: what is empty is left to the server. */
  get asNew() {
    return {
      title: this.title,
      ...(this.reference.trim() && { reference: this.reference }),
      assignee_ids: this.assignees,
      scheduled_at: fromInput(this.scheduled),
    };
  }

  /** What is different from `job`: what a colleague changes meanwhile stays theirs. */
  changesOf(job: Job) {
    const before = new JobDraft(job);
    return {
      ...(this.title !== before.title && { title: this.title }),
      ...(this.reference !== before.reference && { reference: this.reference }),
      ...(this.scheduled !== before.scheduled && { scheduled_at: fromInput(this.scheduled) }),
      ...(!same(this.assignees, before.assignees) && { assignee_ids: this.assignees }),
    };
  }
}

const same = (some: number[], others: number[]) =>
  some.length === others.length && some.every((one) => others.includes(one));
