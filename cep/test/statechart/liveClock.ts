/** The clock of a live actor, moved by hand from delay to delay. */
export class LiveClock {
  time = 0;
  private ids = 0;
  private readonly pending: { readonly id: number; readonly at: number; readonly fn: () => void }[] = [];

  setTimeout(fn: () => void, delay: number): number {
    this.pending.push({ id: ++this.ids, at: this.time + delay, fn });
    return this.ids;
  }

  clearTimeout(id: number): void {
    const at = this.pending.findIndex((timeout) => timeout.id === id);
    if (at >= 0) this.pending.splice(at, 1);
  }

  /** Fires what is due, in the order of time; `after` is called after each. */
  advance(until: number, after: () => void): void {
    for (;;) {
      const [next] = this.pending.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at || a.id - b.id);
      if (next === undefined) break;
      this.clearTimeout(next.id);
      this.time = next.at;
      next.fn();
      after();
    }
    this.time = Math.max(this.time, until);
  }
}
