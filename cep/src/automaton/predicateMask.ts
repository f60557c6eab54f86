import type { UnaryPredicate } from './automaton.ts';

/** The unary predicates of one event: each is asked when it is needed for the first time, and its answer kept in a bit. */
export class PredicateMask {
  private readonly predicates: readonly UnaryPredicate['test'][];
  private readonly asked: Int32Array;
  private readonly truths: Int32Array;
  private event: never = undefined as never;
  private timestamp = 0;

  constructor(predicates: readonly UnaryPredicate[]) {
    this.predicates = predicates.map(({ test }) => test);
    const words = Math.max((predicates.length + 31) >>> 5, 1);
    this.asked = new Int32Array(words);
    this.truths = new Int32Array(words);
  }

  /** A new event: nothing is known of it. */
  begin(event: unknown, timestamp: number): void {
    this.event = event as never;
    this.timestamp = timestamp;
    const { asked } = this;
    for (let i = 0; i < asked.length; i++) asked[i] = 0;
  }

  /** Whether the event satisfies a predicate; −1 is satisfied by all. */
  test(id: number): boolean {
    if (id < 0) return true;
    const word = id >>> 5;
    const bit = 1 << (id & 31);
    if ((this.asked[word]! & bit) !== 0) return (this.truths[word]! & bit) !== 0;
    this.asked[word]! |= bit;
    const truth = this.predicates[id]!(this.event, this.timestamp);
    if (truth) this.truths[word]! |= bit;
    else this.truths[word]! &= ~bit;
    return truth;
  }
}
