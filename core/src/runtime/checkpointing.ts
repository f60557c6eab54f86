import { Catalog } from '../checkpoint/catalog.ts';
import { CheckpointHistory, type CheckpointReport } from '../checkpoint/checkpointHistory.ts';
import { crc32 as plainCrc32 } from '../checkpoint/checksum.ts';
import { Coordinator, type CheckpointPolicy } from '../checkpoint/coordinator.ts';
import { Lease } from '../checkpoint/lease.ts';
import type { Manifest, SubtaskState } from '../checkpoint/manifest.ts';
import { CheckpointReader, compareUids } from '../checkpoint/restore.ts';
import type { CheckpointStorage } from '../checkpoint/storage.ts';
import type { Barrier } from '../element/element.ts';
import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import type { Plan } from '../graph/plan.ts';
import type { Logger } from '../operators/logger.ts';
import type { JobAttempt } from './jobAttempt.ts';
import type { Platform } from './platform.ts';

/** How checkpoints of a job are taken, with defaults filled in. */
export interface CheckpointSettings extends CheckpointPolicy {
  readonly storage: CheckpointStorage;
  readonly exactlyOnce: boolean;
  /** How long the lease on the location lives without being renewed, in ms. */
  readonly lease: number;
  /** Wait for the lease instead of failing when somebody else holds it. */
  readonly standby: boolean;
}

/** Where a job goes on from. */
export interface RestoreSettings {
  /** `undefined`: the job's own checkpoint location. */
  readonly storage: CheckpointStorage | undefined;
  readonly allowNonRestoredState: boolean;
}

/** What a job's checkpointing needs to know of it. */
export interface CheckpointingParts {
  readonly job: string;
  readonly plan: Plan;
  readonly platform: Platform;
  readonly logger: Logger;
  readonly settings: CheckpointSettings;
  readonly onFatal: (error: unknown) => void;
}

/** How often the holder of the lease is asked again while waiting for it, in ms. */
const STANDBY_POLL = 250;

/** A job's hold on its checkpoint location: the lease, what there is to go on from, and the coordinator of the present attempt. */
export class Checkpointing {
  private readonly parts: CheckpointingParts;
  private readonly lease: Lease;
  private readonly crc32: (bytes: Uint8Array) => number;
  private readonly history = new CheckpointHistory();
  private coordinator: Coordinator | undefined;
  /** Which checkpoints of older epochs count, once this one has chosen where it goes on from. */
  private chosen: { readonly epoch: number; readonly base: number | null } | undefined;
  private restored: number | undefined;
  private newest = 0;
  private cancelRenewal: (() => void) | undefined;
  private isClosed = false;

  private constructor(parts: CheckpointingParts, lease: Lease, crc32: (bytes: Uint8Array) => number) {
    this.parts = parts;
    this.lease = lease;
    this.crc32 = crc32;
    this.scheduleRenewal();
  }

  /**
   * Takes the lease on the location. `onWait` is told when it has to be waited for.
   *
   * @throws MillraceError `checkpoint/held` when another process holds it and this one is no standby.
   */
  static async open(parts: CheckpointingParts, onWait: () => void, signal: AbortSignal): Promise<Checkpointing> {
    const { settings, platform } = parts;
    const { storage, lease: duration, standby } = settings;
    const options = {
      owner: platform.identity?.own ?? `process ${platform.clock.now()}`,
      clock: platform.clock,
      duration,
      isGone: platform.identity?.isGone,
    };
    for (let waiting = false; ; waiting = true) {
      signal.throwIfAborted();
      const lease = await Lease.acquire(storage, { ...options, isGone: (owner) => options.isGone?.(owner) === true });
      if (lease !== undefined) return new Checkpointing(parts, lease, platform.crc32 ?? plainCrc32);
      if (!standby) throw await held(storage, parts.platform);
      if (!waiting) onWait();
      await new Promise<void>((resolve) => platform.clock.schedule(platform.clock.now() + STANDBY_POLL, resolve));
    }
  }

  get epoch(): number {
    return this.lease.epoch;
  }

  get lineage(): string {
    return this.lease.lineage;
  }

  /** The newest checkpoint that can be read and fits the job; `undefined` when there is none. `from` names another location. */
  async latest(from: RestoreSettings | undefined, statefulUids: readonly string[]): Promise<CheckpointReader | undefined> {
    const own = from?.storage === undefined;
    const storage = from?.storage ?? this.parts.settings.storage;
    let damaged = 0;
    const tell = (message: string): void => {
      damaged++;
      this.parts.logger.warn(message);
    };
    const catalog = new Catalog(storage, this.crc32, tell);
    const manifests = await catalog.manifests(own ? (this.chosen ?? this.lease.previous) : await Lease.choice(storage));
    for (const manifest of manifests) {
      const reader = await this.tryRead(manifest, storage, statefulUids, from?.allowNonRestoredState === true, tell);
      if (reader !== undefined) return reader;
    }
    if (damaged > 0) throw allDamaged(damaged, storage);
    return undefined;
  }

  /** Fixes where this owner goes on from, after which nothing that an older one completes counts. */
  async startFrom(reader: CheckpointReader | undefined, isOwn: boolean): Promise<void> {
    const manifests = await new Catalog(this.parts.settings.storage, this.crc32, () => undefined).manifests(this.lease.previous);
    this.newest = Math.max(this.newest, ...manifests.map(({ checkpoint }) => checkpoint));
    const base = isOwn ? (reader?.manifest.checkpoint ?? null) : null;
    await this.lease.startFrom(base);
    this.chosen = { epoch: this.lease.epoch, base };
  }

  /**
   * Makes sure that what was chosen to go on from still counts: the owner of the location is the same as when it was looked for. What that
   * checkpoint holds may then become visible, also when another process takes over in this moment: it goes on from there or from a later one.
   *
   * @throws MillraceError `checkpoint/fenced`
   */
  check(): Promise<void> {
    return this.lease.check();
  }

  /** What a job really fails of: one that was replaced finds things gone that it relies on. */
  async causeOf(error: unknown): Promise<unknown> {
    const lost = await this.lease.check().catch((problem: unknown) => problem);
    return isMillraceError(lost) && lost.code === 'checkpoint/fenced' ? lost : error;
  }

  report(): CheckpointReport {
    const { history, coordinator, epoch, restored } = this;
    const { location } = this.parts.settings.storage;
    return { location, epoch, restored, underWay: coordinator?.underWay ?? 0, ...history.report() };
  }

  /** Begins to take checkpoints of an attempt. */
  begin(attempt: JobAttempt, from: CheckpointReader | undefined): Coordinator {
    this.restored = from?.manifest.checkpoint;
    const { job, plan, platform, logger, settings, onFatal } = this.parts;
    this.coordinator = new Coordinator({
      job,
      storage: settings.storage,
      lease: this.lease,
      policy: settings,
      clock: platform.clock,
      logger,
      crc32: this.crc32,
      history: this.history,
      maxParallelism: plan.maxParallelism,
      operators: plan.graph.nodes.map(({ uid, kind, id }) => ({
        uid,
        kind,
        parallelism: plan.chains.find(({ nodes }) => nodes.includes(id))!.parallelism,
      })),
      participants: () => attempt.participants,
      enumerators: () => attempt.enumerators(),
      onFatal,
      first: this.newest + 1,
    });
    this.coordinator.start();
    return this.coordinator;
  }

  /** Keeps an object of a checkpoint that is being taken. */
  async keep(barrier: Barrier, name: string, parts: readonly Uint8Array[]): Promise<void> {
    // Also of one that was given up: the task's next part builds on this one, and is not to wait for it to be written again.
    const storage = barrier.savepoint ? this.coordinator?.targetOf(barrier.checkpoint) : this.parts.settings.storage;
    if (storage === undefined) throw notWanted();
    await storage.write(name, parts);
  }

  acknowledge(task: string, checkpoint: number, states: readonly SubtaskState[]): void {
    this.coordinator?.acknowledge(task, checkpoint, states);
  }

  decline(checkpoint: number, error: unknown): void {
    this.coordinator?.decline(checkpoint, error);
  }

  /** The present attempt is over. */
  async end(): Promise<void> {
    if (this.coordinator !== undefined) this.newest = Math.max(this.newest, this.coordinator.last);
    await this.coordinator?.close();
    this.coordinator = undefined;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancelRenewal?.();
    await this.end();
    await this.lease.release();
  }

  private async tryRead(
    manifest: Manifest,
    storage: CheckpointStorage,
    uids: readonly string[],
    allowUnmatched: boolean,
    tell: (message: string) => void,
  ): Promise<CheckpointReader | undefined> {
    const { job, logger, settings } = this.parts;
    const { unmatched, without } = compareUids(manifest, uids);
    if (unmatched.length > 0 && !allowUnmatched) throw doesNotFit(manifest, unmatched, without, storage);
    if (storage === settings.storage && manifest.job !== job) throw otherJob(manifest, job, storage);
    if (manifest.maxParallelism !== this.parts.plan.maxParallelism) throw otherKeyGroups(manifest, this.parts.plan.maxParallelism, storage);
    const reader = new CheckpointReader(manifest, storage, this.crc32, allowUnmatched);
    try {
      await reader.verify();
      if (unmatched.length > 0) logger.warn(`State of operators that the job does not have is left out: ${unmatched.join(', ')}.`);
      return reader;
    } catch (error) {
      if (!isMillraceError(error) || error.code !== 'checkpoint/corrupt') throw error;
      tell(`Checkpoint ${manifest.checkpoint} in ${storage.location} cannot be used: ${describeError(error)} The one before it is tried.`);
      return undefined;
    }
  }

  private scheduleRenewal(): void {
    const { clock } = this.parts.platform;
    this.cancelRenewal = clock.schedule(clock.now() + this.parts.settings.lease / 3, () => {
      this.lease.renew().then(
        () => {
          if (!this.isClosed) this.scheduleRenewal();
        },
        (error: unknown) => {
          if (this.isClosed) return;
          if (isMillraceError(error) && error.code === 'checkpoint/fenced') return this.parts.onFatal(error);
          // Nobody has taken the location over: what cannot be reached now may be in a while.
          this.parts.logger.warn(`The lease on ${this.parts.settings.storage.location} could not be renewed: ${describeError(error)}`);
          this.scheduleRenewal();
        },
      );
    });
  }
}

function notWanted(): MillraceError {
  return new MillraceError('checkpoint/aborted', 'The checkpoint was given up.', { remedy: 'Use the one before it.' });
}

function allDamaged(count: number, storage: CheckpointStorage): MillraceError {
  return new MillraceError('checkpoint/corrupt', `None of the checkpoints in ${storage.location} can be used: ${count} are damaged.`, {
    remedy: 'Restore from a savepoint. To start without any state, leave the restore out and give the job a location of its own.',
  });
}

async function held(storage: CheckpointStorage, { clock, identity }: Platform): Promise<MillraceError> {
  const holder = await Lease.holder(storage);
  const owner = holder && (identity?.describe?.(holder.owner) ?? holder.owner);
  const until = holder === undefined ? '' : ` (${owner}, for another ${Math.max(0, holder.until - clock.now())} ms)`;
  return new MillraceError('checkpoint/held', `Another process holds ${storage.location}${until}.`, {
    remedy: 'Stop it first, start this one with --standby to take over when it ends, or give this job a location of its own.',
  });
}

function otherJob(manifest: Manifest, job: string, storage: CheckpointStorage): MillraceError {
  return new MillraceError(
    'checkpoint/unmatched',
    `The checkpoints in ${storage.location} are those of the job "${manifest.job}"; this one is "${job}".`,
    {
      remedy:
        'Give each job a location of its own. To go on from that state under another name, restore it as a savepoint from a new location.',
    },
  );
}

function doesNotFit(
  manifest: Manifest,
  unmatched: readonly string[],
  without: readonly string[],
  storage: CheckpointStorage,
): MillraceError {
  const missing = without.length === 0 ? 'none' : without.join(', ');
  return new MillraceError(
    'checkpoint/unmatched',
    `Checkpoint ${manifest.checkpoint} of "${manifest.job}" in ${storage.location} holds state of operators that the job does not have: ${unmatched.join(', ')}. Operators of the job without state in it: ${missing}.`,
    { remedy: 'Give the operators their old uids back, or drop the state: allowNonRestoredState (--allow-non-restored-state).' },
  );
}

function otherKeyGroups(manifest: Manifest, maxParallelism: number, storage: CheckpointStorage): MillraceError {
  return new MillraceError(
    'checkpoint/unmatched',
    `The checkpoint in ${storage.location} has ${manifest.maxParallelism} key groups, the job ${maxParallelism}.`,
    { remedy: `Set maxParallelism to ${manifest.maxParallelism}: it is fixed for the life of a job's state.` },
  );
}
