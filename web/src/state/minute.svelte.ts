/** What time it is, for what is shown in minutes: as exact as people read it. */
const STEP_MS = 15_000;

class Minute {
  now = $state(Date.now());

  constructor() {
    setInterval(() => (this.now = Date.now()), STEP_MS);
  }
}

export const minute = new Minute();
