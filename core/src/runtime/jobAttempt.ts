import type { CheckpointReader } from '../checkpoint/restore.ts';
import type { Barrier } from '../element/element.ts';
import type { GraphNode } from '../graph/node.ts';
import type { SourceReader } from '../operators/connector.ts';
import { Workspace } from '../state/spill.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP } from '../time/timestamp.ts';
import { operatorFailure } from './failure.ts';
import { InputSize } from './inputSize.ts';
import type { JobParts } from './job.ts';
import type { OperatorReport } from './metrics.ts';
import type { MeasuredSource } from './progress.ts';
import { restoreTask } from './restoreTask.ts';
import { Scheduler } from './scheduler.ts';
import type { SourceFeed } from './sourceFeed.ts';
import { SplitAssigner } from './splitAssigner.ts';
import type { JobScope } from './subtaskBuilder.ts';
import type { Task, TaskListener } from './task.ts';
import { type SourceTask, type TaskGraph, TaskGraphBuilder } from './taskGraph.ts';
import { WatermarkWatch } from './watermarkWatch.ts';

/** What an attempt tells its job. */
export interface AttemptListener {
  /** Every task has processed everything. */
  onDrained(): void;
  /** Every task is over. */
  onFinished(): void;
  onFailed(error: unknown): void;
  onCheckpoint(task: Task, barrier: Barrier): void;
  onCheckpointAborted(task: Task, checkpoint: number): void;
}

/** A source's reader and the subtasks that share it. */
interface OpenSource {
  readonly reader: SourceReader<unknown, unknown>;
  readonly tasks: readonly SourceTask[];
}

/** One run of a job's tasks, from opening to their end or the first failure. */
export class JobAttempt implements TaskListener {
  readonly graph: TaskGraph;
  readonly measured: MeasuredSource[] = [];
  private readonly parts: JobParts;
  private readonly listener: AttemptListener;
  private readonly readers: SourceReader<unknown, unknown>[] = [];
  private readonly assigners = new Map<string, SplitAssigner>();
  private readonly enumeration = new AbortController();
  private readonly watch: WatermarkWatch | undefined;
  private sources: readonly OpenSource[] = [];
  private undrained: number;
  private unfinished: number;
  private isClosed = false;

  /** `epoch`: of the lease under which sinks commit; 0 without checkpoints, and `lineage` empty. */
  constructor(
    parts: JobParts,
    listener: AttemptListener,
    options: { readonly epoch: number; readonly lineage: string; readonly exactlyOnce: boolean },
  ) {
    this.parts = parts;
    this.listener = listener;
    const { plan, builder, platform, logger, onError, seed, generateCode } = parts;
    const { mode, maxParallelism } = plan;
    const scope: JobScope = {
      builder,
      mode,
      maxParallelism,
      onError,
      seed,
      clock: platform.clock,
      logger,
      workspace: new Workspace(platform.spill, platform.memoryLimit),
      generateCode,
      ...options,
    };
    this.graph = new TaskGraphBuilder(plan, scope, new Scheduler(platform), this).build();
    this.undrained = this.unfinished = this.graph.tasks.length;
    const timed = this.graph.sources.filter(({ feed }) => feed.isTimed);
    // In batch mode nothing waits for a watermark.
    if (timed.length > 0 && mode === 'streaming') this.watch = this.watchOver(timed);
  }

  /** Takes over the state of a checkpoint, then opens every operator and source. */
  async open(restore: CheckpointReader | undefined): Promise<void> {
    if (restore !== undefined) await Promise.all(this.graph.tasks.map((task) => restoreTask(task, restore)));
    await allOpened(this.graph.instances.map(async ({ instance }) => instance.operator.open?.()));
    this.sources = await this.openSources();
    for (const { chain } of this.graph.tasks) chain.connect();
    for (const { reader, tasks } of this.sources) this.prepareAssigner(reader, tasks, restore);
  }

  /** Lets records flow. */
  flow(): void {
    const { plan, platform } = this.parts;
    const { clock } = platform;
    const later = (callback: () => void): void => platform.later(callback);
    const context = { signal: this.enumeration.signal, bounded: plan.mode === 'batch', clock, later };
    for (const { reader, tasks } of this.sources) {
      for (const { feed, task } of tasks) feed.start(task, reader, later);
      void this.assigners.get(tasks[0]!.node.uid)!.run(context);
    }
    for (const task of this.graph.tasks) task.wake();
  }

  /** Ends sources where they are. */
  stop(drain: boolean): void {
    this.enumeration.abort();
    for (const { feed } of this.graph.sources) feed.stop(drain);
  }

  /** Makes durable what sinks hold, and ends. */
  finish(): void {
    for (const task of this.graph.tasks) task.finish();
  }

  /** The state of the discovery of splits, by the source's uid. */
  enumerators(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.assigners].map(([uid, assigner]) => [uid, assigner.snapshot()]));
  }

  // What an attempt that was closed has under way comes back when nobody wants to hear of it.

  onDrained(task: Task): void {
    if (this.isClosed) return;
    if (!this.parts.plan.isCheckpointed) task.finish();
    else if (--this.undrained === 0) this.listener.onDrained();
  }

  onFinished(): void {
    if (--this.unfinished === 0 && !this.isClosed) this.listener.onFinished();
  }

  onFailed(_task: Task, error: unknown): void {
    if (!this.isClosed) this.listener.onFailed(error);
  }

  onCheckpoint(task: Task, barrier: Barrier): void {
    if (!this.isClosed) this.listener.onCheckpoint(task, barrier);
  }

  onCheckpointAborted(task: Task, checkpoint: number): void {
    if (!this.isClosed) this.listener.onCheckpointAborted(task, checkpoint);
  }

  /** `failure`: why the attempt did not come to its end, if it did not. */
  async close(failure?: unknown): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.enumeration.abort();
    this.watch?.close();
    for (const task of this.graph.tasks) if (!task.isOver) task.abandon();
    const closed = await Promise.allSettled([
      ...this.graph.instances.map(async ({ instance }) => instance.operator.close?.(failure)),
      ...this.readers.map(async (reader) => reader.close?.()),
    ]);
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  reports(at: number): readonly OperatorReport[] {
    return this.graph.instances.map(({ instance, task }) => this.report(instance, task, at));
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

  private prepareAssigner(
    reader: SourceReader<unknown, unknown>,
    tasks: readonly SourceTask[],
    restore: CheckpointReader | undefined,
  ): void {
    const { node } = tasks[0]!;
    const feeds = tasks.map(({ feed }) => feed);
    const assigner = new SplitAssigner(reader, tasks, this.measure(reader, node, feeds));
    const saved = restore?.manifest.enumerators[node.uid];
    if (saved !== undefined) assigner.restore(saved as never);
    this.assigners.set(node.uid, assigner);
  }

  private measure(reader: SourceReader<unknown, unknown>, { uid, traits }: GraphNode, feeds: readonly SourceFeed[]): InputSize | undefined {
    if (traits.bounded !== true) return undefined;
    const size = new InputSize(reader);
    this.measured.push({ uid, size, read: (unit) => feeds.reduce((sum, feed) => sum + (unit === 'bytes' ? feed.bytes : feed.records), 0) });
    return size;
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
