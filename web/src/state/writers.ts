/** Who is writing in a conversation at the moment: whoever says nothing more of it has stopped. */

const WRITES_FOR_MS = 6_000;

export class Writers {
  names: string[] = [];
  private readonly until = new Map<string, number>();

  /** Told after each change. */
  constructor(private readonly changed: (names: string[]) => void) {}

  writes(name: string) {
    clearTimeout(this.until.get(name));
    this.until.set(
      name,
      window.setTimeout(() => this.stopped(name), WRITES_FOR_MS),
    );
    this.tell();
  }

  stopped(name: string) {
    if (!this.until.has(name)) return;
    clearTimeout(this.until.get(name));
    this.until.delete(name);
    this.tell();
  }

  private tell() {
    this.names = [...this.until.keys()];
    this.changed(this.names);
  }
}
