import type { Participant } from '../checkpoint/coordinator.ts';
import type { SubtaskState } from '../checkpoint/manifest.ts';
import type { CheckpointReader } from '../checkpoint/restore.ts';
import type { Barrier } from '../element/element.ts';
import { fromPlainError, type PlainError, toPlainError } from '../errors/plainError.ts';
import type { Plan, PlanChain } from '../graph/plan.ts';
import type { Logger } from '../operators/logger.ts';
import type { StoredRecords } from '../state/recordSorter.ts';
import type { Clock } from '../time/clock.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { AlignmentReport } from './hostAlignment.ts';
import type { HostParts } from './localHost.ts';
import type { OperatorReport } from './metrics.ts';
import { type Port, RemoteCalls } from './remoteCalls.ts';
import { taskName } from './taskGraph.ts';
import type { HostListener, SplitTarget, TaskHost } from './taskHost.ts';

/** How long a host may take to close, in ms. */
const CLOSES_WITHIN = 10_000;

/** Tasks that run behind a port. The other side of it is a {@link HostServer}. */
export class RemoteHost implements TaskHost {
  readonly participants: readonly Participant[];
  readonly sources: readonly SplitTarget[];
  private readonly calls: RemoteCalls;
  private readonly splits = new Map<string, readonly string[]>();
  private restore: CheckpointReader | undefined;
  private onAligned: (report: AlignmentReport) => void = () => undefined;
  private latest: readonly OperatorReport[] = [];
  private readonly logger: Logger;
  private readonly clock: Clock;

  /** `places`: what runs there. */
  constructor(port: Port, { plan, logger, platform }: HostParts, places: readonly Place[], listener: HostListener) {
    this.logger = logger;
    this.clock = platform.clock;
    this.calls = new RemoteCalls(port, this.handlers(listener));
    this.participants = places.map(({ chain, subtask }) => this.participant(taskName(plan, chain, subtask)));
    this.sources = places.filter(({ chain }) => isSource(plan, chain)).map(({ chain, subtask }) => this.target(chain.nodes[0]!, subtask));
  }

  async open(restore: CheckpointReader | undefined): Promise<void> {
    this.restore = restore;
    const splits = await this.calls.call<readonly (readonly [string, readonly string[]])[]>(
      'open',
      restore?.manifest,
      restore?.allowNonRestoredState,
    );
    for (const [place, open] of splits) this.splits.set(place, open);
    this.restore = undefined;
  }

  flow(): void {
    this.calls.tell('flow');
  }

  shareAlignment(groups: readonly string[], told: (report: AlignmentReport) => void): void {
    this.onAligned = told;
    this.calls.tell('shareAlignment', groups);
  }

  align(group: string, elsewhere: Timestamp): void {
    this.calls.tell('align', group, elsewhere);
  }

  stop(drain: boolean): void {
    this.calls.tell('stop', drain);
  }

  finish(): void {
    this.calls.tell('finish');
  }

  reports(): readonly OperatorReport[] {
    return this.latest;
  }

  async close(failure?: unknown): Promise<void> {
    const { clock } = this;
    const closed = this.calls.call('close', failure === undefined ? undefined : toPlainError(failure));
    // A function of the user's that never returns must not keep the job from ending: its thread is ended then as it is.
    let cancel: (() => void) | undefined;
    const patience = new Promise<void>((resolve) => (cancel = clock.schedule(clock.now() + CLOSES_WITHIN, resolve)));
    await Promise.race([closed, patience]).finally(() => cancel?.());
  }

  /** The other side is gone. */
  lose(error: unknown): void {
    this.calls.lose(error);
  }

  private participant(name: string): Participant {
    return {
      name,
      requestCheckpoint: (barrier) => this.calls.tell('barrier', name, barrier),
      completeCheckpoint: (checkpoint) => this.calls.call('complete', name, checkpoint),
      abortCheckpoint: (checkpoint) => this.calls.tell('aborted', name, checkpoint),
    };
  }

  private target(node: number, subtask: number): SplitTarget {
    return {
      node,
      subtask,
      openSplits: () => this.splits.get(`${node}/${subtask}`) ?? [],
      assign: (splits) => this.calls.tell('assign', node, subtask, splits),
      endAssignment: () => this.calls.tell('endAssignment', node, subtask),
      fail: (error) => this.calls.tell('failSource', node, subtask, toPlainError(error)),
    };
  }

  private handlers(listener: HostListener): Readonly<Record<string, (...args: never[]) => unknown>> {
    return {
      drained: () => listener.onDrained(),
      finished: () => listener.onFinished(),
      error: (error: PlainError) => listener.onFailed(fromPlainError(error)),
      over: (chain: number, subtask: number, reports: readonly OperatorReport[]) => listener.onOver(chain, subtask, reports),
      result: (partition: string, result: StoredRecords) => listener.onResult(partition, result),
      aligned: (report: AlignmentReport) => this.onAligned(report),
      splitEnd: (node: number, split: string) => listener.onSplitEnd(node, split),
      // A copy: its memory moves to the other side.
      restoreEntries: async (object: string) => new Uint8Array(await this.restore!.object(object)),
      snapshotEntries: async (barrier: Barrier, name: string, parts: readonly Uint8Array[]) => listener.keep(barrier, name, parts),
      snapshotDone: (task: string, checkpoint: number, states: readonly SubtaskState[]) => listener.onSnapshot(task, checkpoint, states),
      declined: (checkpoint: number, error: PlainError) => listener.onDeclined(checkpoint, fromPlainError(error)),
      metrics: (reports: readonly OperatorReport[]) => {
        this.latest = reports;
      },
      log: (level: keyof Logger, message: string, details: Readonly<Record<string, unknown>> | undefined) =>
        this.logger[level](message, details),
    };
  }
}

/** Where a subtask stands in the plan. */
export interface Place {
  readonly chain: PlanChain;
  readonly subtask: number;
}

function isSource(plan: Plan, chain: PlanChain): boolean {
  return plan.graph.nodes[chain.nodes[0]!]!.kind === 'source';
}
