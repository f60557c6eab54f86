import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { Barrier } from '../element/element.ts';
import type { Logger } from '../operators/logger.ts';
import type { Clock } from '../time/clock.ts';
import { formatDuration } from '../time/duration.ts';
import { Catalog } from './catalog.ts';
import type { CheckpointHistory } from './checkpointHistory.ts';
import type { Lease } from './lease.ts';
import { MANIFEST_VERSION, type Manifest, type SubtaskState } from './manifest.ts';
import type { CheckpointStorage } from './storage.ts';

/** When and how checkpoints are taken. All times in ms. */
export interface CheckpointPolicy {
  /** From the start of one to the start of the next; `undefined`: only on demand. */
  readonly every: number | undefined;
  /** A checkpoint that takes longer is given up. */
  readonly timeout: number;
  /** At least this much time between the end of one and the start of the next. */
  readonly pause: number;
  /** How many complete ones are kept. */
  readonly retain: number;
  /** How many may be under way at once. */
  readonly concurrent: number;
}

/** A task as the coordinator sees it. */
export interface Participant {
  readonly name: string;
  requestCheckpoint(barrier: Barrier): void;
  completeCheckpoint(checkpoint: number): Promise<void>;
  abortCheckpoint(checkpoint: number): void;
}

/** What the coordinator needs of its job. */
export interface CoordinatorParts {
  readonly job: string;
  readonly storage: CheckpointStorage;
  readonly lease: Lease;
  readonly policy: CheckpointPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly crc32: (bytes: Uint8Array) => number;
  readonly history: CheckpointHistory;
  readonly maxParallelism: number;
  readonly operators: Manifest['operators'];
  readonly participants: () => readonly Participant[];
  readonly enumerators: () => Readonly<Record<string, unknown>>;
  /** Told of failures that the job cannot go on after: the lease is lost, a commit failed. */
  readonly onFatal: (error: unknown) => void;
  /** The number of the first checkpoint. */
  readonly first: number;
}

/** A checkpoint under way. */
interface Pending {
  readonly barrier: Barrier;
  readonly startedAt: number;
  readonly missing: Set<string>;
  readonly states: SubtaskState[];
  readonly enumerators: Readonly<Record<string, unknown>>;
  /** Where it is written: the job's own location, or a savepoint's. */
  readonly target: { readonly storage: CheckpointStorage; readonly catalog: Catalog };
  readonly cancelTimeout: () => void;
  readonly resolve: (manifest: Manifest) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Takes checkpoints: asks every task for one, gathers what they kept, and writes the manifest that makes it count. Chandy and
 * Lamport's algorithm, with barriers in band; what is complete is told to all, so that sinks make visible what they hold.
 */
export class Coordinator {
  private readonly parts: CoordinatorParts;
  private readonly catalog: Catalog;
  private readonly pending = new Map<number, Pending>();
  private next: number;
  private lastStart = -Infinity;
  private lastEnd = -Infinity;
  private cancelTick: (() => void) | undefined;
  private closed = false;
  /** Retention and notification, one after the other. */
  private settling: Promise<void> = Promise.resolve();

  constructor(parts: CoordinatorParts) {
    this.parts = parts;
    this.catalog = new Catalog(parts.storage, parts.crc32, (message) => parts.logger.warn(message));
    this.next = parts.first;
  }

  /** Begins to take checkpoints at their interval. */
  start(): void {
    this.lastStart = this.parts.clock.now();
    this.schedule();
  }

  /** Takes a checkpoint now. Fulfilled when it is complete and everybody has been told. */
  trigger(options: { readonly savepoint?: CheckpointStorage; readonly last?: boolean } = {}): Promise<Manifest> {
    const { clock, policy, storage } = this.parts;
    const checkpoint = this.next++;
    const barrier: Barrier = { kind: 'barrier', checkpoint, savepoint: options.savepoint !== undefined, last: options.last === true };
    const participants = this.parts.participants();
    this.lastStart = clock.now();
    const target = options.savepoint ?? storage;
    return new Promise((resolve, reject) => {
      this.pending.set(checkpoint, {
        barrier,
        startedAt: clock.now(),
        missing: new Set(participants.map(({ name }) => name)),
        states: [],
        // Before any task is asked: a split that is assigned later reaches its reader behind its barrier.
        enumerators: this.parts.enumerators(),
        target: {
          storage: target,
          catalog: options.savepoint === undefined ? this.catalog : new Catalog(target, this.parts.crc32, () => undefined),
        },
        cancelTimeout: clock.schedule(clock.now() + policy.timeout, () => this.giveUp(checkpoint, this.timedOut(checkpoint))),
        resolve,
        reject,
      });
      for (const participant of participants) participant.requestCheckpoint(barrier);
    });
  }

  /** The number of the last checkpoint that was begun. */
  get last(): number {
    return this.next - 1;
  }

  /** How many checkpoints are being taken. */
  get underWay(): number {
    return this.pending.size;
  }

  /** Where a task writes its part. `undefined` when the checkpoint was given up. */
  targetOf(checkpoint: number): CheckpointStorage | undefined {
    return this.pending.get(checkpoint)?.target.storage;
  }

  /** A task has kept its part. */
  acknowledge(participant: string, checkpoint: number, states: readonly SubtaskState[]): void {
    const pending = this.pending.get(checkpoint);
    if (pending === undefined || !pending.missing.delete(participant)) return;
    pending.states.push(...states);
    if (pending.missing.size > 0) return;
    this.settling = this.settling.then(() => this.complete(checkpoint, pending));
  }

  /** A task cannot keep its part. The checkpoint is given up, those before it stand, the job goes on. */
  decline(checkpoint: number, error: unknown): void {
    this.giveUp(checkpoint, error);
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelTick?.();
    const closed = new MillraceError('checkpoint/aborted', 'The job ended before the checkpoint was complete.', {
      remedy: 'Use the one before it.',
    });
    for (const checkpoint of this.pending.keys()) this.drop(checkpoint)?.reject(closed);
    await this.settling;
  }

  private schedule(): void {
    const { every, pause, concurrent } = this.parts.policy;
    if (every === undefined || this.closed) return;
    const { clock } = this.parts;
    const at = Math.max(this.lastStart + every, this.lastEnd + pause);
    this.cancelTick?.();
    this.cancelTick = clock.schedule(at, () => {
      this.cancelTick = undefined;
      if (this.pending.size < concurrent) this.trigger().catch(() => undefined);
      else this.lastStart = clock.now();
      this.schedule();
    });
  }

  private async complete(checkpoint: number, pending: Pending): Promise<void> {
    if (this.pending.get(checkpoint) !== pending) return;
    const { lease, policy, clock } = this.parts;
    const manifest = this.manifestOf(checkpoint, pending);
    try {
      await lease.check();
      await pending.target.catalog.add(manifest);
      // Still the owner after it was written: whoever takes over from here on goes on from it, so what it holds may become visible.
      await lease.check();
    } catch (error) {
      return this.fail(checkpoint, error);
    }
    this.drop(checkpoint);
    // Older ones that are still under way can only be overtaken: what they hold is in this one.
    for (const older of this.pending.keys())
      if (older < checkpoint && !pending.barrier.savepoint) this.giveUp(older, this.overtaken(checkpoint));
    this.lastEnd = clock.now();
    this.parts.history.complete(manifest, this.lastEnd);
    this.schedule();
    // Who goes on here after a failure goes on from a checkpoint: what only a savepoint holds must not be visible yet.
    if (pending.barrier.savepoint) return pending.resolve(manifest);
    try {
      await Promise.all(this.parts.participants().map((participant) => participant.completeCheckpoint(checkpoint)));
      pending.resolve(manifest);
    } catch (error) {
      pending.reject(error);
      return this.parts.onFatal(error);
    }
    await this.catalog.retain(policy.retain, lease.epoch).catch((error: unknown) => {
      this.parts.logger.warn(`Checkpoints that are not needed any more could not be removed: ${describeError(error)}`);
    });
  }

  private manifestOf(checkpoint: number, { barrier, startedAt, states, enumerators }: Pending): Manifest {
    const { job, lease, maxParallelism, operators } = this.parts;
    return {
      version: MANIFEST_VERSION,
      job,
      checkpoint,
      epoch: lease.epoch,
      takenAt: startedAt,
      kind: barrier.savepoint ? 'savepoint' : 'checkpoint',
      maxParallelism,
      operators,
      subtasks: states,
      enumerators,
    };
  }

  private fail(checkpoint: number, error: unknown): void {
    if (error instanceof MillraceError && error.code === 'checkpoint/fenced') this.parts.onFatal(error);
    this.giveUp(checkpoint, error);
  }

  private giveUp(checkpoint: number, error: unknown): void {
    const pending = this.drop(checkpoint);
    if (pending === undefined) return;
    this.lastEnd = this.parts.clock.now();
    this.parts.history.giveUp(checkpoint, error, this.lastEnd);
    this.parts.logger.warn(`Checkpoint ${checkpoint} was given up: ${describeError(error)}`);
    for (const participant of this.parts.participants()) participant.abortCheckpoint(checkpoint);
    pending.reject(error);
    this.schedule();
  }

  private drop(checkpoint: number): Pending | undefined {
    const pending = this.pending.get(checkpoint);
    this.pending.delete(checkpoint);
    pending?.cancelTimeout();
    return pending;
  }

  private timedOut(checkpoint: number): MillraceError {
    const missing = [...(this.pending.get(checkpoint)?.missing ?? [])];
    return new MillraceError(
      'checkpoint/timeout',
      `It took longer than ${formatDuration(this.parts.policy.timeout)}; missing: ${missing.join(', ')}.`,
      {
        remedy: 'A slow sink or function holds the barrier back: look at the blocked times, lower targetDelay, or raise the timeout.',
      },
    );
  }

  private overtaken(by: number): MillraceError {
    return new MillraceError('checkpoint/aborted', `Checkpoint ${by} was complete first.`, { remedy: 'Nothing to do.' });
  }
}
