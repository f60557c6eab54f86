import { Catalog } from '../checkpoint/catalog.ts';
import { crc32 as plainCrc32 } from '../checkpoint/checksum.ts';
import type { CheckpointReader } from '../checkpoint/restore.ts';
import type { Barrier } from '../element/element.ts';
import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { ErrorPolicy, GraphBuilder } from '../graph/builder.ts';
import type { Plan } from '../graph/plan.ts';
import type { ReadContext, SourceReader } from '../operators/connector.ts';
import type { Logger } from '../operators/logger.ts';
import { type KeptSpace, Workspace } from '../state/spill.ts';
import { MAX_TIMESTAMP, MIN_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import type { CreditPolicy } from './creditWindow.ts';
import { operatorFailure } from './failure.ts';
import type { FinishedRegions } from './finishedRegions.ts';
import { type AlignmentReport, HostAlignment } from './hostAlignment.ts';
import type { OperatorReport } from './metrics.ts';
import { Partition } from './partition.ts';
import type { Placement } from './placement.ts';
import type { Platform } from './platform.ts';
import { restoreTask } from './restoreTask.ts';
import { Scheduler } from './scheduler.ts';
import { type StateSettings, StateSpace } from './stateSpace.ts';
import type { Task, TaskListener } from './task.ts';
import { TaskCheckpoints } from './taskCheckpoint.ts';
import { type SourceTask, type TaskGraph, TaskGraphBuilder } from './taskGraph.ts';
import type { HostListener, SplitTarget, TaskHost } from './taskHost.ts';
import { WatermarkWatch } from './watermarkWatch.ts';

/** What all hosts of a job have in common, and each makes its tasks from. */
export interface HostParts {
  readonly plan: Plan;
  readonly builder: GraphBuilder;
  readonly platform: Platform;
  readonly logger: Logger;
  readonly onError: ErrorPolicy;
  readonly seed: number;
  readonly generateCode?: boolean | undefined;
  /** Of the lease under which sinks commit; 0 without checkpoints, and `lineage` empty. */
  readonly epoch: number;
  readonly lineage: string;
  readonly exactlyOnce: boolean;
  /** How much may wait between two subtasks. */
  readonly credit: CreditPolicy;
  /** Where keyed state lives; `undefined`: in memory. */
  readonly state?: StateSettings | undefined;
  /**
   * Whether a failed attempt leaves the results of regions that have come to their ends to the next one; where they are put, if they have to
   * outlive this host; what the attempt before has left.
   */
  readonly keepsResults?: boolean | undefined;
  readonly results?: KeptSpace | undefined;
  readonly finished?: FinishedRegions | undefined;
}

/** Tasks on this thread: all of a job's, or those that a placement puts here. */
export class LocalHost implements TaskHost, TaskListener {
  readonly graph: TaskGraph;
  readonly sources: readonly SplitTarget[];
  readonly scheduler: Scheduler;
  private readonly parts: HostParts;
  private readonly listener: HostListener;
  private readonly stateSpace: StateSpace;
  private readonly readers = new Map<number, SourceReader<unknown, unknown>>();
  private readonly checkpoints = new Map<Task, TaskCheckpoints>();
  private readonly watch: WatermarkWatch | undefined;
  private alignment: HostAlignment | undefined;
  private undrained: number;
  private unfinished: number;
  private isClosed = false;
  /** Partitions that are the job's: what it was given, and has given to this attempt. */
  private readonly given = new Set<string>();

  constructor(parts: HostParts, listener: HostListener, placement?: Placement) {
    this.parts = parts;
    this.listener = listener;
    const { platform, plan } = parts;
    const { clock } = platform;
    let workspace: Workspace | undefined;
    for (const [name, result] of Object.entries(parts.finished?.results ?? {})) {
      if (!(result instanceof Partition)) continue;
      this.given.add(name);
      // It has its memory from there.
      workspace = result.workspace;
    }
    this.stateSpace = new StateSpace(parts.state, platform);
    const scope = {
      ...parts,
      mode: plan.mode,
      maxParallelism: plan.maxParallelism,
      clock,
      workspace: workspace ?? new Workspace(platform.spill, platform.memoryLimit),
      stateSpace: this.stateSpace,
    };
    this.scheduler = new Scheduler(platform);
    this.graph = new TaskGraphBuilder(plan, scope, this.scheduler, this, placement).build();
    this.sources = this.graph.sources.map((source) => this.target(source));
    this.undrained = this.unfinished = this.graph.tasks.length;
    const timed = this.graph.sources.filter(({ feed }) => feed.isTimed);
    this.watch = timed.length > 0 && plan.mode === 'streaming' ? this.watchOver(timed) : undefined;
  }

  get participants(): readonly Task[] {
    return this.graph.tasks;
  }

  async open(restore: CheckpointReader | undefined): Promise<void> {
    await this.stateSpace.open();
    if (restore !== undefined) await Promise.all(this.graph.tasks.map((task) => restoreTask(task, restore)));
    await allOpened(this.graph.instances.map(async ({ instance }) => instance.operator.open?.()));
    await allOpened([...new Set(this.graph.sources.map(({ node }) => node.id))].map((node) => this.openReader(node)));
    for (const { chain } of this.graph.tasks) chain.connect();
    if (this.parts.plan.isCheckpointed) {
      for (const task of this.graph.tasks) this.checkpoints.set(task, new TaskCheckpoints(task, this.parts.platform));
    }
  }

  flow(): void {
    const later: ReadContext['later'] = (callback) => this.parts.platform.later(callback);
    for (const { feed, task, node } of this.graph.sources) feed.start(task, this.readers.get(node.id)!, later);
    for (const task of this.graph.tasks) task.wake();
  }

  shareAlignment(groups: readonly string[], told: (report: AlignmentReport) => void): void {
    this.alignment = new HostAlignment(this.graph.alignment, this.parts.platform.clock, groups, told);
  }

  align(group: string, elsewhere: Timestamp): void {
    this.graph.alignment.align(group, elsewhere);
  }

  stop(drain: boolean): void {
    for (const { feed } of this.graph.sources) feed.stop(drain);
  }

  finish(): void {
    for (const task of this.graph.tasks) task.finish();
  }

  // What a host that was closed has under way comes back when nobody wants to hear of it.

  onDrained(task: Task): void {
    if (this.isClosed) return;
    const { isCheckpointed, mode } = this.parts.plan;
    if (isCheckpointed) return this.countDrained();
    if (mode === 'streaming') return task.finish();
    // Nothing becomes visible before all is done: until then any region may have to run again.
    if (task.commits) return task.seal();
    task.finish();
    this.countDrained();
  }

  onSealed(task: Task): void {
    if (this.isClosed) return;
    this.tellOver(task);
    this.countDrained();
  }

  onFinished(task: Task): void {
    if (!this.isClosed && !task.commits) this.tellOver(task);
    if (--this.unfinished === 0 && !this.isClosed) this.listener.onFinished();
  }

  onPartition(name: string, partition: Partition): void {
    const { keepsResults, results, logger } = this.parts;
    if (keepsResults !== true || this.isClosed) return;
    if (results === undefined) {
      this.given.add(name);
      return this.listener.onResult(name, partition);
    }
    try {
      this.listener.onResult(name, partition.store(results));
    } catch (error) {
      logger.warn(`What went through a blocking exchange cannot be kept: after a failure it is made again. ${describeError(error)}`, {
        error,
      });
    }
  }

  onFailed(_task: Task, error: unknown): void {
    if (!this.isClosed) this.listener.onFailed(error);
  }

  onCheckpoint(task: Task, barrier: Barrier): void {
    const parts = this.checkpoints.get(task);
    if (parts === undefined || this.isClosed) return;
    const { checkpoint } = barrier;
    const { listener } = this;
    const { platform, epoch } = this.parts;
    const write = async (name: string, bytes: readonly Uint8Array[]): Promise<void> => listener.keep(barrier, name, bytes);
    const nameOf = (part: number): string => Catalog.stateName(epoch, checkpoint, task.name, part);
    parts.take(barrier, { storage: { write }, nameOf, crc32: platform.crc32 ?? plainCrc32 }).then(
      (states) => listener.onSnapshot(task.name, checkpoint, states),
      (error: unknown) => listener.onDeclined(checkpoint, error),
    );
  }

  onCheckpointAborted(_task: Task, checkpoint: number): void {
    if (this.isClosed) return;
    this.listener.onDeclined(
      checkpoint,
      new MillraceError('checkpoint/aborted', 'A newer barrier overtook it.', { remedy: 'Let fewer checkpoints be under way at once.' }),
    );
  }

  async close(failure?: unknown): Promise<void> {
    if (this.isClosed) return;
    if (this.parts.keepsResults === true) this.lookOnceMore();
    this.isClosed = true;
    this.watch?.close();
    for (const task of this.graph.tasks) if (!task.isOver) task.abandon();
    this.alignment?.close();
    const closed = await Promise.allSettled([
      ...this.graph.instances.map(async ({ instance }) => instance.operator.close?.(failure)),
      ...[...this.readers.values()].map(async (reader) => reader.close?.()),
    ]);
    for (const [name, partition] of this.graph.partitions) if (!this.given.has(name)) partition.dispose();
    await this.stateSpace.close();
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  readerOf(node: number): SourceReader<unknown, unknown> | undefined {
    return this.readers.get(node);
  }

  reports(at: number): readonly OperatorReport[] {
    return this.graph.instances.map(({ instance, task }) => this.report(instance, task, at));
  }

  /** What others have sent before they failed may be all that was missing to a partition. */
  private lookOnceMore(): void {
    try {
      this.scheduler.look?.();
    } catch {
      // What cannot be taken now is made again.
    }
  }

  private countDrained(): void {
    if (--this.undrained === 0) this.listener.onDrained();
  }

  /** After a failure what the task did may not have to be done again. */
  private tellOver(task: Task): void {
    if (this.parts.keepsResults !== true) return;
    const [chain] = [...this.graph.byChain].find(([, tasks]) => tasks.includes(task))!;
    const mine = this.graph.instances.filter((each) => each.task === task);
    this.listener.onOver(
      chain,
      task.index,
      mine.map(({ instance }) => this.report(instance, task, 0)),
    );
  }

  private target({ node, subtask, feed, task }: SourceTask): SplitTarget {
    feed.onSplitEnd = (split) => this.listener.onSplitEnd(node.id, split);
    const assign = (splits: readonly string[]): void => {
      feed.assign(splits);
      if (feed.alignmentGroup !== undefined) this.alignment?.onDealt(feed.alignmentGroup);
    };
    return {
      node: node.id,
      subtask,
      openSplits: () => feed.openSplits(),
      // By letter, so that it stays behind a checkpoint that was asked for before.
      assign: (splits) => task.mail(() => assign(splits)),
      endAssignment: () => task.mail(() => feed.endAssignment()),
      fail: (error) => feed.fail(error),
    };
  }

  private watchOver(sources: readonly SourceTask[]): WatermarkWatch {
    const feeds = sources.map(({ feed }) => feed);
    const watch = new WatermarkWatch(feeds, this.parts.platform.clock, this.parts.logger);
    for (const feed of feeds) feed.onRecords = () => watch.touch();
    return watch;
  }

  private async openReader(node: number): Promise<void> {
    this.readers.set(node, await openSource(this.parts, node));
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

/** Opens the reader of a source. */
export async function openSource({ builder, plan }: HostParts, node: number): Promise<SourceReader<unknown, unknown>> {
  try {
    return await builder.behaviour(node).source!.definition.open();
  } catch (error) {
    throw operatorFailure(error, plan.graph.nodes[node]!.uid);
  }
}

/** Waits for all, also when one has failed: what opens meanwhile has to be closed. */
export async function allOpened<R>(openings: readonly Promise<R>[]): Promise<readonly R[]> {
  await Promise.allSettled(openings);
  return Promise.all(openings);
}
