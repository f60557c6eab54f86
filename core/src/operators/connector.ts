import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Clock } from '../time/clock.ts';

/** Something that was not taken in: what, where, why. Goes to the `rejected` side output, and whole to a dead-letter sink. */
export interface Rejected {
  /** Where it stood: `payments.csv:17`, or the uid of the operator that refused it. */
  readonly place: string;
  /** The error's code, such as `schema/invalid` or `csv/malformed`. */
  readonly code: string;
  /** Why, as a sentence; or each of a schema's objections. */
  readonly reason: string;
  readonly issues?: readonly StandardSchemaV1.Issue[];
  /** The record as it was read: a line of text, a parsed row, an element. */
  readonly value: unknown;
}

/** A run of elements of one split, in order. `position` is the place after the last of them: reading from it yields what follows. */
export interface SourceBatch<out T, out P> {
  readonly values: readonly T[];
  readonly position: P;
  readonly rejected?: readonly Rejected[];
  /** How much input this batch stands for, in bytes; counted in the metrics and shown as progress. */
  readonly bytes?: number;
}

/** What a reader is given beside its split. */
export interface ReadContext {
  /** Aborted when the job is canceled, stopped or has failed: end the iteration. */
  readonly signal: AbortSignal;
  /** True when nothing is wanted after what stands there now (batch mode, draining): a following reader then ends. */
  readonly bounded: boolean;
  /** The job's clock: a source takes its time and its timeouts from here, so that tests can move them. */
  readonly clock: Clock;
  /** Calls back in a later turn of the event loop: for waits that are too short for a timeout. */
  readonly later: (callback: () => void) => void;
}

/** What the discovery of splits is given. */
export interface DiscoveryContext extends ReadContext {
  /** Resolves when all of these splits have been read to their ends and processed; also when `signal` is aborted. */
  readonly ended: (splits: readonly string[]) => Promise<void>;
}

/**
 * Splits are discovered by one enumerator and read by many readers; positions are checkpointed. A split is a string (a file's
 * name, a partition); a position is plain data that `read` understands.
 */
export interface SourceReader<out T, P> {
  /** All splits at once, or an iterable of further ones as they are discovered. A split that was named before is ignored. */
  splits(context: DiscoveryContext): Promise<readonly string[]> | AsyncIterable<readonly string[]>;
  /** Reads a split from a position (from its beginning when `undefined`). Batches of a few thousand elements at most work best. */
  read(split: string, from: P | undefined, context: ReadContext): AsyncIterable<SourceBatch<T, P>>;
  /** The size of a split in bytes, where it can be known: gives progress its 100 %. */
  size?(split: string): Promise<number | undefined>;
  /** The number of elements of a split, where it can be known: the same for sources that do not read bytes. */
  count?(split: string): Promise<number | undefined>;
  /**
   * A checkpoint is complete: the place to acknowledge upstream. `positions` has the splits of one subtask that are being read or were since
   * the call before, each with the position that it would be read from again; `ended` names those among them that were read to their ends, and will not be read
   * again (one that never gave a batch stands only there). For each subtask one call comes after the other, and the checkpoint after waits for it.
   *
   * After a failure the same may be told again, also by another process: an ended split is told until a call with it was fulfilled. What it
   * rejects with fails the job, which goes on from that checkpoint. Without checkpoints it is never called.
   */
  committed?(positions: ReadonlyMap<string, P>, ended: ReadonlySet<string>): Promise<void>;
  close?(): Promise<void>;
}

/** A source as its author writes it; `defineSource` makes it a {@link Source}. */
export interface SourceDefinition<out T, P> {
  readonly name: string;
  /** Whether every split ends by itself. Decides what `mode: 'automatic'` does. */
  readonly bounded: boolean;
  /**
   * How many splits of one subtask are read at a time; a function is asked before a further split is begun. Default: one after the
   * other when bounded, all when unbounded.
   */
  readonly concurrentSplits?: number | ((split: string) => number);
  readonly open: () => SourceReader<T, P> | Promise<SourceReader<T, P>>;
}

/**
 * Two phases: what was written before a barrier becomes a committable; `commit` makes it visible and is idempotent. A sink that
 * cannot hold back returns no committables and is at-least-once.
 *
 * What is to go on after a barrier, such as a file that is not full yet, is no committable but the writer's own `state`.
 */
export interface SinkWriter<in T, C, S = unknown> {
  /**
   * Takes a batch, in an array that may be used again once this returns or its promise is fulfilled. While a promise is pending
   * nothing more is written: that is the backpressure.
   */
  write(values: readonly T[]): void | Promise<void>;
  /** Takes a single element, for sinks to which batches mean nothing; where it is present, `write` is not called. */
  writeOne?(value: T): void | Promise<void>;
  /**
   * Everything written so far becomes committables, or part of `state()`; called before each barrier and at the end of input.
   * `checkpoint` is the number of the barrier's checkpoint; without it nothing more will be written, and nothing may be left in `state()`.
   */
  prepare(checkpoint?: number): Promise<readonly C[]>;
  /** What belongs to a checkpoint and is no committable, after `prepare`: plain data. A writer that goes on from there gets those of all subtasks. */
  state?(): readonly S[];
  commit(committables: readonly C[]): Promise<void>;
  abort?(committables: readonly C[]): Promise<void>;
  /**
   * Called once before the first element when the job goes on from a checkpoint: commits what the checkpoint holds, and rolls back
   * whatever else an earlier run has left. Default: `commit`.
   */
  recover?(committables: readonly C[], state: readonly S[]): Promise<void>;
  /**
   * Called last. `failure` is what the job ended with if it did not come to its end; it was canceled, or something failed. Rejects when
   * something written could not be kept.
   */
  close?(failure?: unknown): Promise<void>;
}

/** What a writer is given. */
export interface SinkContext {
  /** Of the sink in its job: the same in every run, and another for each sink. */
  readonly uid: string;
  readonly subtask: number;
  readonly parallelism: number;
  /** The job goes on from a checkpoint: what an earlier run wrote is kept. */
  readonly restored: boolean;
  /** Of the lease under which commits are made: a target that can should refuse commits of an older one. 0 without checkpoints. */
  readonly epoch: number;
  /** Names the life of the checkpoint location: epochs can be compared where this is the same. Empty without checkpoints. */
  readonly lineage: string;
  /** The job's clock: a sink takes its time from here, so that tests can move it. */
  readonly clock: Clock;
  /** Counts written bytes in the metrics. */
  readonly wrote: (bytes: number) => void;
}

/** A sink as its author writes it; `defineSink` makes it a {@link Sink}. */
export interface SinkDefinition<in T, C, S = unknown> {
  readonly name: string;
  readonly open: (context: SinkContext) => SinkWriter<T, C, S> | Promise<SinkWriter<T, C, S>>;
}

declare const element: unique symbol;

/** Where elements come from. The definition is the engine's business; a user passes it to `env.from`. */
export interface Source<out T> {
  readonly [element]?: () => T;
  readonly kind: 'source';
  readonly bounded: boolean;
  readonly definition: SourceDefinition<unknown, never>;
}

/** Where elements go. A user passes it to `sinkTo`. */
export interface Sink<in T> {
  readonly [element]?: (value: T) => void;
  readonly kind: 'sink';
  readonly definition: SinkDefinition<never, never>;
}

/**
 * Makes a source of one's own.
 *
 * @example
 * const ticks = defineSource<number, number>({
 *   name: 'ticks', bounded: true,
 *   open: () => ({
 *     splits: async () => ['only'],
 *     async *read(_split, from = 0) { for (let n = from; n < 3; n++) yield { values: [n], position: n + 1 }; },
 *   }),
 * });
 */
export function defineSource<T, P>(definition: SourceDefinition<T, P>): Source<T> {
  return { kind: 'source', bounded: definition.bounded, definition: definition as unknown as SourceDefinition<unknown, never> };
}

/**
 * Makes a sink of one's own: see {@link SinkWriter} for the two phases.
 *
 * @example
 * const shout = defineSink<string>({
 *   name: 'shout',
 *   open: () => ({
 *     write: (values) => { for (const value of values) console.log(value.toUpperCase()); },
 *     prepare: async () => [], commit: async () => undefined,
 *   }),
 * });
 * const env = new StreamEnvironment();
 * env.from(fromArray(['hello'])).sinkTo(shout);
 * await env.execute('shout'); // HELLO
 */
export function defineSink<T, C = never, S = never>(definition: SinkDefinition<T, C, S>): Sink<T> {
  return { kind: 'sink', definition: definition as unknown as SinkDefinition<never, never> };
}
