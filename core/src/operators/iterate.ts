import { MillraceError } from '../errors/millraceError.ts';
import type { OperatorStateEntry } from '../state/operatorState.ts';
import { MAX_TIMESTAMP } from '../time/timestamp.ts';
import type { Operator, OperatorDefinition } from './operator.ts';
import type { OperatorContext } from './operatorContext.ts';

/** What every phase of an iteration is told. */
export interface IterationContext {
  /** Number of the round, from 0. */
  readonly round: number;
  /** Number of shards: each round runs once per shard. */
  readonly shards: number;
  /** A buffer that all shards share; plain data, part of the snapshot. Length in bytes. */
  readonly allocate: (bytes: number) => ArrayBuffer | SharedArrayBuffer;
  /** Uniform in [0, 1), from a generator that is part of the state. */
  readonly random: () => number;
}

/**
 * Rounds over the same data: graph algorithms, learners that make several passes. There are no feedback edges: the input is read
 * to its end, then rounds run, each over all shards with a barrier after it, until `done`.
 */
export interface Iteration<T, S, M, R> {
  /** Makes the state from the whole input: plain data and buffers, which the shards share. */
  init(elements: readonly T[], context: IterationContext): S;
  /** One shard's part of a round. It may write its own part of the shared buffers; what it returns goes to `combine`. */
  round(state: S, shard: number, context: IterationContext): M;
  /** The barrier: joins what the shards returned, in order of shards. Returns the state of the next round. */
  combine(state: S, parts: readonly M[], context: IterationContext): S;
  /** Asked before each round, also the first; `context.round` is the round that would come. */
  done(state: S, context: IterationContext): boolean;
  result(state: S): Iterable<R>;
  /** The state as plain data and its return, where it is not plain data itself. */
  readonly snapshot?: (state: S) => unknown;
  readonly restore?: (snapshot: unknown) => S;
}

/** Options of an iteration beside those of every operator. */
export interface IterationOptions {
  /** How many parts a round is cut into. Default 1. Results must not depend on it. */
  readonly shards?: number;
  /** Gives up after this many rounds with `operator/failed`, rather than run for ever. Default: no limit. */
  readonly maxRounds?: number;
}

/** Runs an iteration when its input has ended, a shard at a time, so that the event loop and barriers get their turn. */
export function iterateOperator(iteration: Iteration<never, unknown, unknown, unknown>, options: IterationOptions): OperatorDefinition {
  const { shards = 1, maxRounds = Infinity } = options;
  for (const [name, value] of Object.entries({ shards, maxRounds })) {
    if (value === Infinity || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new MillraceError('graph/option', `iterate: ${name} is ${value}.`, { remedy: 'Give a whole number of at least 1.' });
  }
  return {
    create: (context) => new IterateOperator(context, iteration as Iteration<unknown, unknown, unknown, unknown>, shards, maxRounds),
  };
}

/** An iteration between two rounds, or while it gives its results: then how many of them it has given. */
interface SavedRound {
  readonly round: number;
  readonly value: unknown;
  readonly given?: number | null;
}

class IterateOperator implements Operator {
  readonly inputs: readonly ((value: never) => void)[] = [(value) => void this.elements.push(value)];
  readonly ignoresTime = true;
  private readonly context: OperatorContext;
  private readonly iteration: Iteration<unknown, unknown, unknown, unknown>;
  private readonly shards: number;
  private readonly maxRounds: number;
  private elements: unknown[] = [];
  private state: { value: unknown } | undefined;
  private round = 0;
  private parts: unknown[] = [];
  private results: Iterator<unknown> | undefined;
  /** How many results have been emitted. */
  private given = 0;

  constructor(context: OperatorContext, iteration: Iteration<unknown, unknown, unknown, unknown>, shards: number, maxRounds: number) {
    this.context = context;
    this.iteration = iteration;
    this.shards = shards;
    this.maxRounds = maxRounds;
  }

  /** One step per call: the engine looks after everything else between two of them. */
  onEnd(): boolean {
    if (this.results !== undefined) return this.emitResults();
    this.step();
    this.context.wake();
    return false;
  }

  /** In the middle of a round there is no state: shards write in place, and what they returned is nobody's. It is taken to its end. */
  prepareBarrier(): void {
    while (this.parts.length > 0) this.step();
  }

  operatorEntries(): Iterable<OperatorStateEntry> {
    if (this.state === undefined) return this.elements.length === 0 ? [] : [{ state: 'elements', mode: 'split', items: this.elements }];
    const { snapshot } = this.iteration;
    const value = snapshot === undefined ? this.state.value : snapshot(this.state.value);
    const given = this.results === undefined ? null : this.given;
    return [{ state: 'round', mode: 'split', items: [{ round: this.round, value, given }] }];
  }

  restoreOperatorEntry({ state, items }: OperatorStateEntry): void {
    if (state === 'elements') {
      this.elements = [...items];
      return;
    }
    const [{ round, value, given }] = items as readonly [SavedRound];
    this.round = round;
    this.state = { value: this.iteration.restore === undefined ? value : this.iteration.restore(value) };
    if (given === null || given === undefined) return;
    this.results = this.iteration.result(this.state.value)[Symbol.iterator]();
    for (; this.given < given; this.given++) this.results.next();
  }

  private step(): void {
    const context = this.iterationContext();
    if (this.state === undefined) {
      this.state = { value: this.iteration.init(this.elements, context) };
      this.elements = [];
    } else if (this.parts.length > 0 && this.parts.length < this.shards) this.runShard(context);
    else if (this.parts.length === this.shards) this.combine(context);
    else if (this.iteration.done(this.state.value, context)) this.results = this.iteration.result(this.state.value)[Symbol.iterator]();
    else this.begin(context);
  }

  private begin(context: IterationContext): void {
    if (this.round >= this.maxRounds) {
      throw new MillraceError('operator/failed', `The iteration is not done after ${this.round} rounds.`, {
        remedy: 'Raise maxRounds, or mend the condition in done().',
      });
    }
    this.runShard(context);
  }

  private runShard(context: IterationContext): void {
    this.parts.push(this.iteration.round(this.state!.value, this.parts.length, context));
  }

  private combine(context: IterationContext): void {
    this.state = { value: this.iteration.combine(this.state!.value, this.parts, context) };
    this.parts = [];
    this.round++;
  }

  private emitResults(): boolean {
    while (this.context.hasCredit()) {
      const result = this.results!.next();
      if (result.done === true) return true;
      this.given++;
      this.context.emit(result.value, MAX_TIMESTAMP);
    }
    return false;
  }

  private iterationContext(): IterationContext {
    const { round, shards } = this;
    const allocate = (bytes: number): ArrayBuffer | SharedArrayBuffer =>
      shards > 1 && shareable ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
    return { round, shards, allocate, random: this.context.random };
  }
}

/** Browsers hide shared memory from pages that are not isolated. */
const shareable = typeof SharedArrayBuffer !== 'undefined';
