import type { CheckpointReport } from '../checkpoint/checkpointHistory.ts';
import type { Barrier } from '../element/element.ts';
import type { CheckpointReader } from '../checkpoint/restore.ts';
import type { SubtaskState } from '../checkpoint/manifest.ts';
import type { CheckpointStorage } from '../checkpoint/storage.ts';
import type { Coordinator } from '../checkpoint/coordinator.ts';
import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import type { ErrorPolicy, GraphBuilder } from '../graph/builder.ts';
import type { Plan } from '../graph/plan.ts';
import type { Logger } from '../operators/logger.ts';
import { formatDuration } from '../time/duration.ts';
import { Checkpointing, type CheckpointSettings, type RestoreSettings } from './checkpointing.ts';
import type { CreditPolicy } from './creditWindow.ts';
import { chooseCheckpoint } from './checkpointChoice.ts';
import { describeJob, hasNoOutput } from './diagnosis.ts';
import type { FinishedRegions } from './finishedRegions.ts';
import type { HostDriver } from './hostDriver.ts';
import { type AttemptListener, JobAttempt } from './jobAttempt.ts';
import { type JobStatus, Lifecycle } from './lifecycle.ts';
import type { JobMetrics } from './metrics.ts';
import type { Platform } from './platform.ts';
import { type Progress, progressOf } from './progress.ts';
import { noRestart, type RestartCount, type RestartStrategy } from './restart.ts';
import type { StateSettings } from './stateSpace.ts';

/** What a job is started with. */
export interface JobParts {
  readonly name: string;
  readonly plan: Plan;
  readonly builder: GraphBuilder;
  readonly platform: Platform;
  readonly logger: Logger;
  readonly onError: ErrorPolicy;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** The caller sees for itself when there is no output: then it is no warning. */
  readonly isEmptyTold?: boolean;
  readonly generateCode?: boolean | undefined;
  readonly checkpoint?: CheckpointSettings | undefined;
  readonly restore?: RestoreSettings | undefined;
  readonly restart: RestartStrategy;
  readonly credit: CreditPolicy;
  /** Where keyed state lives; `undefined`: in memory. */
  readonly state?: StateSettings | undefined;
  /** Where tasks run; `undefined` for this thread. */
  readonly driver?: HostDriver | undefined;
}

/** A running job on this thread: its life, its checkpoints, and one attempt after another at running its tasks. */
export class LocalJob implements AttemptListener {
  readonly name: string;
  readonly finished: Promise<void>;
  private readonly parts: JobParts;
  private readonly lifecycle = new Lifecycle();
  private readonly restarts: RestartCount;
  private readonly ended = new AbortController();
  private attempt: JobAttempt | undefined;
  private attemptCount = 0;
  private checkpointing: Checkpointing | undefined;
  private coordinator: Coordinator | undefined;
  private settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  private closing: Promise<void> | undefined;
  private startedAt: number;
  /** The job had come to its end in the checkpoint that it was started from. */
  private wasFinished = false;
  /** Without checkpoints: sinks make visible what they hold, so that nothing may be done again. */
  private isCommitting = false;
  /** A savepoint that is taken at the end, before the last checkpoint. */
  private lastSavepoint: CheckpointStorage | undefined;
  private readonly onAbort = (): void => void this.cancel();

  /** @internal */
  constructor(parts: JobParts) {
    this.parts = parts;
    this.name = parts.name;
    this.restarts = parts.restart.begin();
    this.startedAt = parts.platform.clock.now();
    this.finished = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    // A failure that nobody awaits is told by the status and the log; it must not end the process.
    this.finished.catch(() => undefined);
  }

  get status(): JobStatus {
    return this.lifecycle.status;
  }

  /** How often its tasks were started: 1, and one more after each failure that it went on from. */
  get attempts(): number {
    return this.attemptCount;
  }

  /**
   * Opens every operator and source, then lets records flow: what `env.start` does.
   *
   * @internal
   */
  async start(): Promise<void> {
    const { signal } = this.parts;
    signal?.addEventListener('abort', this.onAbort, { once: true });
    try {
      if (signal?.aborted === true) await this.cancel();
      else await this.begin();
    } catch (error) {
      // Canceled while it waited for its checkpoint location: that is what it rejects with.
      if (this.lifecycle.status === 'canceled') await this.finished;
      await this.end(error);
      throw error;
    }
    // Canceled before it ran.
    if (this.lifecycle.status === 'canceled') await this.finished;
  }

  /**
   * Ends sources where they are and lets what is under way arrive. With `drain` time goes to its end, so that open windows fire. With
   * checkpoints a last one is taken, or a savepoint at `savepoint`. Resolves when the job has finished.
   *
   * @throws MillraceError what the job fails with; `job/canceled` if it is canceled meanwhile.
   * @example
   * env.from(generator({ create: (i) => i })).sinkTo(discard());
   * const job = await env.start('numbers');
   * await job.stop({ drain: true });
   * console.log(job.status); // finished
   */
  async stop(options: { readonly drain?: boolean; readonly savepoint?: CheckpointStorage } = {}): Promise<void> {
    if (this.lifecycle.send('stop')) {
      this.lastSavepoint = options.savepoint;
      this.attempt!.stop(options.drain === true);
    }
    await this.finished;
  }

  /**
   * Writes a savepoint: whole in itself, to go on from in another place or with another parallelism.
   *
   * @throws MillraceError `job/state` where the job has no checkpoint location or does not run; `checkpoint/timeout`, `checkpoint/aborted`,
   * `checkpoint/storage`.
   * @example
   * env.from(generator({ create: (i) => i }), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
   * const job = await env.start('numbers', { checkpoint: { storage: memoryStorage() } });
   * const savepoint = memoryStorage();
   * await job.savepoint(savepoint);
   * await job.stop();
   */
  async savepoint(target: CheckpointStorage): Promise<void> {
    await this.running().trigger({ savepoint: target });
  }

  /**
   * Takes a checkpoint now.
   *
   * @throws MillraceError as {@link savepoint} does.
   * @example
   * env.from(generator({ create: (i) => i }), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
   * const job = await env.start('numbers', { checkpoint: { storage: memoryStorage() } });
   * await job.checkpoint();
   * await job.stop();
   */
  async checkpoint(): Promise<void> {
    await this.running().trigger();
  }

  /**
   * Drops everything. Resolves when all is closed; `finished` is then rejected with `job/canceled`.
   *
   * @example
   * env.from(generator({ create: (i) => i })).sinkTo(discard());
   * const job = await env.start('numbers');
   * await job.cancel();
   * console.log(job.status); // canceled
   */
  async cancel(): Promise<void> {
    if (!this.lifecycle.send('cancel')) return this.closing;
    const canceled = new MillraceError('job/canceled', `The job "${this.name}" was canceled.`, {
      remedy: 'Start it again, or stop it in order: job.stop().',
    });
    this.closing = this.close(canceled);
    await this.closing;
    this.settle!.reject(canceled);
  }

  /**
   * What every subtask of every operator has done so far.
   *
   * @example
   * env.from(fromArray([1, 2, 3])).sinkTo(discard(), { uid: 'output' });
   * const job = await env.start('numbers');
   * await job.finished;
   * console.log(job.metrics().operators.find(({ uid }) => uid === 'output')?.recordsIn); // 3
   */
  metrics(): JobMetrics {
    const at = this.parts.platform.clock.now();
    return { job: this.name, at, operators: this.attempt?.reports(at) ?? [] };
  }

  /**
   * How the job's checkpoints fare; `undefined` for a job that takes none, and before it holds its checkpoint location.
   *
   * @example
   * env.from(generator({ create: (i) => i }), { uid: 'numbers' }).sinkTo(discard(), { uid: 'output' });
   * const job = await env.start('numbers', { checkpoint: { storage: memoryStorage() } });
   * await job.checkpoint();
   * console.log(job.checkpoints()?.completed); // 1
   * await job.stop();
   */
  checkpoints(): CheckpointReport | undefined {
    return this.checkpointing?.report();
  }

  /**
   * How far bounded sources have come; `undefined` when none of them knows its size.
   *
   * @example
   * env.from(fromArray([1, 2, 3]), { uid: 'numbers' }).sinkTo(discard());
   * const job = await env.start('numbers');
   * await job.finished;
   * console.log(job.progress()?.fraction); // 1
   */
  progress(): Progress | undefined {
    return progressOf(this.attempt?.measured ?? []);
  }

  /**
   * Called on every change of status. What is returned ends that.
   *
   * @example
   * env.from(fromArray([1, 2, 3])).sinkTo(discard());
   * const job = await env.start('numbers');
   * job.onStatus((status) => console.log(status)); // finished
   * await job.finished;
   */
  onStatus(listener: (status: JobStatus) => void): () => void {
    return this.lifecycle.subscribe(listener);
  }

  /**
   * Everything was processed: what sinks hold becomes visible with one last checkpoint.
   *
   * @internal
   */
  onDrained(): void {
    if (!this.parts.plan.isCheckpointed) {
      this.isCommitting = true;
      return this.attempt!.finish();
    }
    const savepoint = this.lastSavepoint;
    const coordinator = this.coordinator!;
    const written = savepoint === undefined ? Promise.resolve() : coordinator.trigger({ savepoint }).then(() => undefined);
    // What the savepoint holds becomes visible with it.
    const last = written.then(() => coordinator.trigger());
    last.then(
      () => this.attempt!.finish(),
      (error: unknown) => this.onFailed(error),
    );
  }

  /**
   * All tasks have come to their ends.
   *
   * @internal
   */
  onFinished(): void {
    this.closing = this.close().then(
      () => {
        if (!this.lifecycle.send('finish')) return;
        this.sayIfNothingCameOut();
        this.settle!.resolve();
      },
      (error: unknown) => this.end(error),
    );
  }

  /**
   * A task has failed.
   *
   * @internal
   */
  onFailed(error: unknown): void {
    // The job is over, and what it had under way ends with it: a worker that is let go cannot answer any more.
    if (this.closing !== undefined) return;
    // What else goes wrong in an attempt that has failed already is a consequence; a new one that cannot begin says so itself.
    if (this.lifecycle.status === 'restarting' && !isFinal(error)) return;
    this.restartOrEnd(error);
  }

  /** @internal */
  async keep(barrier: Barrier, name: string, parts: readonly Uint8Array[]): Promise<void> {
    await this.checkpointing?.keep(barrier, name, parts);
  }

  /** @internal */
  onSnapshot(task: string, checkpoint: number, states: readonly SubtaskState[]): void {
    this.checkpointing?.acknowledge(task, checkpoint, states);
  }

  /** @internal */
  onDeclined(checkpoint: number, error: unknown): void {
    this.checkpointing?.decline(checkpoint, error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.lifecycle.isOver) return this.closing;
    await this.cancel();
  }

  private async begin(): Promise<void> {
    const { checkpoint, restore } = this.parts;
    if (checkpoint !== undefined && this.parts.plan.isCheckpointed) {
      await this.openCheckpointing(checkpoint);
      if (this.lifecycle.isOver) return this.checkpointing!.close();
      const reader = restore === undefined ? undefined : await this.choose(restore);
      this.wasFinished = (await reader?.isFinished()) === true;
      await this.checkpointing!.startFrom(reader, restore?.storage === undefined);
      await this.run(reader, 'start');
    } else await this.run(undefined, 'start');
  }

  private async openCheckpointing(settings: CheckpointSettings): Promise<void> {
    const { plan, platform, logger } = this.parts;
    const waiting = (): void => {
      this.lifecycle.send('suspend');
      logger.info(`The job "${this.name}" waits for ${settings.storage.location}, which another process holds.`, { status: 'suspended' });
    };
    const onFatal = (error: unknown): void => this.onFailed(error);
    this.checkpointing = await Checkpointing.open(
      { job: this.name, plan, platform, logger, settings, onFatal },
      waiting,
      this.ended.signal,
    );
  }

  private async choose(restore: RestoreSettings): Promise<CheckpointReader | undefined> {
    const uids = this.parts.plan.graph.nodes.map(({ uid }) => uid);
    return chooseCheckpoint(this.checkpointing!, restore, { job: this.name, uids, logger: this.parts.logger });
  }

  private async run(reader: CheckpointReader | undefined, event: 'start' | 'resume', finished?: FinishedRegions): Promise<void> {
    const { driver, checkpoint, plan, restart } = this.parts;
    const { epoch = 0, lineage = '' } = this.checkpointing ?? {};
    const attempt = new JobAttempt(
      {
        ...this.parts,
        epoch,
        lineage,
        exactlyOnce: checkpoint?.exactlyOnce ?? true,
        keepsResults: plan.mode === 'batch' && restart.name !== noRestart().name,
        finished,
      },
      this,
      driver,
    );
    this.attempt = attempt;
    this.attemptCount++;
    try {
      await attempt.open(reader);
    } catch (error) {
      throw this.checkpointing === undefined ? error : await this.checkpointing.causeOf(error);
    }
    if (!this.lifecycle.send(event)) return;
    this.startedAt = this.parts.platform.clock.now();
    if (this.parts.plan.isCheckpointed) this.coordinator = this.checkpointing!.begin(attempt, reader);
    attempt.flow();
  }

  private restartOrEnd(error: unknown): void {
    if (this.lifecycle.isOver) return;
    const { platform, restart, logger } = this.parts;
    if (this.isCommitting && restart.name !== noRestart().name) {
      logger.warn(`The job "${this.name}" is not started again: its sinks may have made a part of its output visible.`);
    }
    const wait =
      this.isCommitting || isFinal(error)
        ? undefined
        : this.restarts.next(platform.clock.now(), this.startedAt, platform.random ?? (() => 0.5));
    if (wait === undefined || !this.lifecycle.send('restart')) return void this.end(error);
    logger.warn(`The job "${this.name}" failed and starts again in ${formatDuration(wait)} (${restart.name}): ${describeError(error)}`, {
      error,
    });
    void this.startAgain(error, wait).catch((problem: unknown) => this.restartOrEnd(problem));
  }

  private async startAgain(error: unknown, wait: number): Promise<void> {
    const { clock } = this.parts.platform;
    await Promise.allSettled([this.attempt?.close(error), this.checkpointing?.end()]);
    await new Promise<void>((resolve) => clock.schedule(clock.now() + wait, resolve));
    if (this.lifecycle.isOver) return;
    const uids = this.parts.plan.graph.nodes.map(({ uid }) => uid);
    const { restore } = this.parts;
    const reader = await this.checkpointing?.latest(restore?.storage === undefined ? restore : undefined, uids);
    const from = reader ?? (await this.firstRestore());
    await this.checkpointing?.check();
    await this.run(from, 'resume', await this.attempt?.leave());
  }

  /** Before the first checkpoint of its own, a job that began from a savepoint begins from it again. */
  private async firstRestore(): Promise<CheckpointReader | undefined> {
    const { restore } = this.parts;
    if (restore?.storage === undefined || this.checkpointing === undefined) return undefined;
    return this.choose(restore);
  }

  private running(): Coordinator {
    if (this.coordinator !== undefined && this.lifecycle.status === 'running') return this.coordinator;
    throw new MillraceError(
      'job/state',
      `The job "${this.name}" takes no checkpoints: ${this.parts.checkpoint === undefined ? 'it has no checkpoint location' : `it is ${this.status}`}.`,
      {
        remedy: 'Start it with checkpoint: { storage }, and ask while it runs.',
      },
    );
  }

  private async end(error: unknown): Promise<void> {
    if (!this.lifecycle.send('fail')) return;
    this.parts.logger.error(`The job "${this.name}" failed: ${isMillraceError(error) ? error.message : String(error)}`, { error });
    this.closing = this.close(error).catch(() => undefined);
    await this.closing;
    this.settle!.reject(error);
  }

  private sayIfNothingCameOut(): void {
    const metrics = this.metrics();
    if (this.wasFinished || !hasNoOutput(metrics)) return;
    const { message, code } = new MillraceError('job/no-output', `The job "${this.name}" ended with no output.`, {
      remedy: `See where its elements went:\n${describeJob(metrics)}`,
    });
    const { logger, isEmptyTold } = this.parts;
    if (isEmptyTold === true) logger.info(message, { code });
    else logger.warn(message, { code });
  }

  /** `failure`: why the job did not come to its end, if it did not. */
  private async close(failure?: unknown): Promise<void> {
    this.ended.abort();
    this.parts.signal?.removeEventListener('abort', this.onAbort);
    const [closed] = await Promise.allSettled([this.attempt?.close(failure), this.checkpointing?.close()]);
    this.attempt?.dropResults();
    await this.parts.driver?.end?.();
    if (closed.status === 'rejected') throw closed.reason;
  }
}

function isFinal(error: unknown): boolean {
  return isMillraceError(error) && FINAL.has(error.code);
}

/** Failures that another attempt cannot mend. */
const FINAL: ReadonlySet<string> = new Set(['checkpoint/fenced', 'checkpoint/unmatched', 'checkpoint/version', 'job/canceled']);
