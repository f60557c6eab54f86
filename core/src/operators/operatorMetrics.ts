/** A count of the user's own, shown among the operator's metrics. */
export interface Counter {
  /** Adds `n`, 1 when left out. */
  add(n?: number): void;
}

/** What one subtask of an operator has counted. Plain fields, since some are touched per record. */
export class OperatorMetrics {
  /** Records counted here; the driver counts most of them in places of its own. */
  received = 0;
  sent = 0;
  bytesIn = 0;
  bytesOut = 0;
  /** Elements that came after their time and went to the late output. */
  late = 0;
  /** Elements refused: by a schema, by a user function that threw. */
  rejected = 0;
  /** Elements that an operator let go by its own rule, such as a `filter` or an element that belongs to no window. */
  dropped = 0;
  /**
   * Elements given to a side output that are counted for what they are, late or refused, and so are no results.
   *
   * @internal
   */
  diverted = 0;
  private driven: (() => { readonly received: number; readonly sent: number }) | undefined;
  private readonly counts = new Map<string, number>();
  private readonly rejections = new Map<string, number>();

  /** Elements taken in: each is then sent, late, rejected or dropped, unless the operator keeps it or makes several of it. */
  get recordsIn(): number {
    return this.received + (this.driven?.().received ?? 0);
  }

  get recordsOut(): number {
    return this.sent + (this.driven?.().sent ?? 0) - this.diverted;
  }

  /**
   * Adds what a generated driver counts, read when somebody asks.
   *
   * @internal
   */
  countFrom(driven: () => { readonly received: number; readonly sent: number }): void {
    this.driven = driven;
  }

  /** Counts a refused element by the code of what was wrong with it. */
  reject(code: string): void {
    this.rejected++;
    this.rejections.set(code, (this.rejections.get(code) ?? 0) + 1);
  }

  /** Why elements were refused: how many by code. */
  rejectedBy(): ReadonlyMap<string, number> {
    return this.rejections;
  }

  /** The user's counter of this name, from 0 when it is asked for first. */
  counter(name: string): Counter {
    if (!this.counts.has(name)) this.counts.set(name, 0);
    return { add: (n = 1) => void this.counts.set(name, this.counts.get(name)! + n) };
  }

  /** The user's own counters by name. */
  counters(): ReadonlyMap<string, number> {
    return this.counts;
  }
}
