import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import type { GraphNode } from '../graph/node.ts';
import type { Plan } from '../graph/plan.ts';
import type { SourceReader } from '../operators/connector.ts';
import type { Logger } from '../operators/logger.ts';
import { Workspace } from '../state/spill.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../time/timestamp.ts';
import { describeJob, hasNoOutput } from './diagnosis.ts';
import { operatorFailure } from './failure.ts';
import { InputSize } from './inputSize.ts';
import { type JobStatus, Lifecycle } from './lifecycle.ts';
import type { JobMetrics, OperatorReport } from './metrics.ts';
import type { Platform } from './platform.ts';
import { type MeasuredSource, type Progress, progressOf } from './progress.ts';
import { Scheduler } from './scheduler.ts';
import type { SourceFeed } from './sourceFeed.ts';
import { SplitAssigner } from './splitAssigner.ts';
import type { JobScope } from './subtaskBuilder.ts';
import type { Task, TaskListener } from './task.ts';
import { type SourceTask, type TaskGraph, TaskGraphBuilder } from './taskGraph.ts';
import { WatermarkWatch } from './watermarkWatch.ts';

/** What a job is started with. */
export interface JobParts {
  readonly name: string;
  readonly plan: Plan;
  readonly builder: GraphBuilder;
  readonly platform: Platform;
  readonly logger: Logger;
  readonly onError: JobScope['onError'];
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** The caller sees for itself when there is no output: then it is no warning. */
  readonly isEmptyTold?: boolean;
  readonly generateCode?: boolean | undefined;
}

/** A source's reader and the subtasks that share it. */
interface OpenSource {
  readonly reader: SourceReader<unknown, unknown>;
  readonly tasks: readonly SourceTask[];
}

/** A running job on this thread: the tasks, their sources and the job's life. */
export class LocalJob implements TaskListener {
  readonly name: string;
  readonly finished: Promise<void>;
  private readonly parts: JobParts;
  private readonly lifecycle = new Lifecycle();
  private readonly graph: TaskGraph;
  private readonly readers: SourceReader<unknown, unknown>[] = [];
  private readonly enumeration = new AbortController();
  private settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  private remaining: number;
  private closing: Promise<void> | undefined;
  private readonly measured: MeasuredSource[] = [];
  private readonly watch: WatermarkWatch | undefined;
  private readonly onAbort = (): void => void this.cancel();

  constructor(parts: JobParts) {
    this.parts = parts;
    this.name = parts.name;
    const { plan, builder, platform, logger, onError, seed, generateCode } = parts;
    const workspace = new Workspace(platform.spill, platform.memoryLimit);
    const { mode, maxParallelism } = plan;
    const scope: JobScope = { builder, mode, maxParallelism, onError, seed, clock: platform.clock, logger, workspace, generateCode };
    this.graph = new TaskGraphBuilder(plan, scope, new Scheduler(platform), this).build();
    this.remaining = this.graph.tasks.length;
    const timed = this.graph.sources.filter(({ feed }) => feed.isTimed);
    // In batch mode nothing waits for a watermark.
    if (timed.length > 0 && mode === 'streaming') this.watch = this.watchOver(timed);
    this.finished = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    // A failure that nobody awaits is told by the status and the log; it must not end the process.
    this.finished.catch(() => undefined);
  }

  get status(): JobStatus {
    return this.lifecycle.status;
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
      else await this.open();
    } catch (error) {
      await this.fail(error);
      throw error;
    }
    // Canceled before it ran.
    if (this.lifecycle.status === 'canceled') await this.finished;
  }

  /**
   * Ends sources where they are and lets what is under way arrive. With `drain` time goes to its end, so that open windows fire.
   * Resolves when the job has finished.
   *
   * @throws MillraceError what the job fails with, `job/canceled` if it is canceled meanwhile.
   * @example
   * env.from(generator({ create: (i) => i })).sinkTo(discard());
   * const job = await env.start('numbers');
   * await job.stop({ drain: true });
   * console.log(job.status); // finished
   */
  async stop(options: { readonly drain?: boolean } = {}): Promise<void> {
    if (this.lifecycle.send('stop')) {
      this.enumeration.abort();
      for (const { feed } of this.graph.sources) feed.stop(options.drain === true);
    }
    await this.finished;
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
    return { job: this.name, at, operators: this.graph.instances.map(({ instance, task }) => this.report(instance, task, at)) };
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
    return progressOf(this.measured);
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
   * A task has come to its end.
   *
   * @internal
   */
  onFinished(): void {
    if (--this.remaining > 0) return;
    this.closing = this.close().then(
      () => {
        if (!this.lifecycle.send('finish')) return;
        this.sayIfNothingCameOut();
        this.settle!.resolve();
      },
      (error: unknown) => this.fail(error),
    );
  }

  /**
   * A task has failed.
   *
   * @internal
   */
  onFailed(_task: Task, error: unknown): void {
    void this.fail(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.lifecycle.isOver) return this.closing;
    await this.cancel();
  }

  private async fail(error: unknown): Promise<void> {
    if (!this.lifecycle.send('fail')) return;
    this.parts.logger.error(`The job "${this.name}" failed: ${isMillraceError(error) ? error.message : String(error)}`, { error });
    this.closing = this.close(error).catch(() => undefined);
    await this.closing;
    this.settle!.reject(error);
  }

  private async open(): Promise<void> {
    await allOpened(this.graph.instances.map(async ({ instance }) => instance.operator.open?.()));
    const sources = await this.openSources();
    for (const { chain } of this.graph.tasks) chain.connect();
    if (this.lifecycle.send('start')) this.flow(sources);
  }

  private watchOver(sources: readonly SourceTask[]): WatermarkWatch {
    const feeds = sources.map(({ feed }) => feed);
    const watch = new WatermarkWatch(feeds, this.parts.platform.clock, this.parts.logger);
    for (const feed of feeds) feed.onRecords = () => watch.touch();
    return watch;
  }

  private async openSources(): Promise<readonly OpenSource[]> {
    const byNode = new Map<number, SourceTask[]>();
    for (const source of this.graph.sources) byNode.set(source.node.id, [...(byNode.get(source.node.id) ?? []), source]);
    return allOpened([...byNode].map(([node, tasks]) => this.openSource(node, tasks)));
  }

  private async openSource(node: number, tasks: readonly SourceTask[]): Promise<OpenSource> {
    const { source } = this.parts.builder.behaviour(node);
    try {
      const reader = await source!.definition.open();
      this.readers.push(reader);
      return { reader, tasks };
    } catch (error) {
      throw operatorFailure(error, tasks[0]!.node.uid);
    }
  }

  private flow(sources: readonly OpenSource[]): void {
    const { plan, platform } = this.parts;
    const { clock } = platform;
    const later = (callback: () => void): void => platform.later(callback);
    const context = { signal: this.enumeration.signal, bounded: plan.mode === 'batch', clock, later };
    for (const { reader, tasks } of sources) {
      for (const { feed, task } of tasks) feed.start(task, reader, later);
      const feeds = tasks.map(({ feed }) => feed);
      void new SplitAssigner(reader, feeds, this.measure(reader, tasks[0]!.node, feeds)).run(context);
    }
    for (const task of this.graph.tasks) task.wake();
  }

  private measure(reader: SourceReader<unknown, unknown>, { uid, traits }: GraphNode, feeds: readonly SourceFeed[]): InputSize | undefined {
    if (traits.bounded !== true) return undefined;
    const size = new InputSize(reader);
    this.measured.push({ uid, size, read: (unit) => feeds.reduce((sum, feed) => sum + (unit === 'bytes' ? feed.bytes : feed.records), 0) });
    return size;
  }

  private sayIfNothingCameOut(): void {
    const metrics = this.metrics();
    if (!hasNoOutput(metrics)) return;
    const { message, code } = new MillraceError('job/no-output', `The job "${this.name}" ended with no output.`, {
      remedy: `See where its elements went:\n${describeJob(metrics)}`,
    });
    const { logger, isEmptyTold } = this.parts;
    if (isEmptyTold === true) logger.info(message, { code });
    else logger.warn(message, { code });
  }

  /** `failure`: why the job did not come to its end, if it did not. */
  private async close(failure?: unknown): Promise<void> {
    this.enumeration.abort();
    this.watch?.close();
    this.parts.signal?.removeEventListener('abort', this.onAbort);
    for (const task of this.graph.tasks) if (!task.isOver) task.abandon();
    const closed = await Promise.allSettled([
      ...this.graph.instances.map(async ({ instance }) => instance.operator.close?.(failure)),
      ...this.readers.map(async (reader) => reader.close?.()),
    ]);
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  private report({ node, context }: TaskGraph['instances'][number]['instance'], task: Task, at: number): OperatorReport {
    const { metrics, subtask } = context;
    const source = this.graph.sources.find((candidate) => candidate.task === task && candidate.node === node);
    const watermark = context.watermark === MIN_TIMESTAMP ? null : context.watermark;
    return {
      uid: node.uid,
      name: node.name,
      kind: node.kind,
      subtask: subtask.index,
      recordsIn: metrics.recordsIn,
      recordsOut: metrics.recordsOut,
      bytesIn: source?.feed.bytes ?? 0,
      bytesOut: metrics.bytesOut,
      late: metrics.late,
      rejected: metrics.rejected,
      rejectedBy: Object.fromEntries(metrics.rejectedBy()),
      dropped: node.kind === 'filter' ? metrics.recordsIn - metrics.recordsOut - metrics.rejected : metrics.dropped,
      watermark,
      lag: watermark === null || watermark === MAX_TIMESTAMP ? null : at - watermark,
      busyTime: task.busyTime,
      blockedTime: task.blockedTime,
      counters: Object.fromEntries(metrics.counters()),
    };
  }
}

/** Waits for all, also when one has failed: what opens meanwhile has to be closed. */
async function allOpened<R>(openings: readonly Promise<R>[]): Promise<readonly R[]> {
  await Promise.allSettled(openings);
  return Promise.all(openings);
}
