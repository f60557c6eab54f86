import type { Participant } from '../checkpoint/coordinator.ts';
import type { SubtaskState } from '../checkpoint/manifest.ts';
import type { Barrier } from '../element/element.ts';
import type { CheckpointReader } from '../checkpoint/restore.ts';
import type { SourceReader } from '../operators/connector.ts';
import type { FinishedRegions, Result } from './finishedRegions.ts';
import type { HostDriver } from './hostDriver.ts';
import { InputSize } from './inputSize.ts';
import { JobAlignment } from './jobAlignment.ts';
import { allOpened, type HostParts, LocalHost, openSource } from './localHost.ts';
import type { OperatorReport } from './metrics.ts';
import type { MeasuredSource } from './progress.ts';
import { RegionLedger } from './regionLedger.ts';
import { SplitAssigner } from './splitAssigner.ts';
import type { HostListener, SplitTarget, TaskHost } from './taskHost.ts';

/** What an attempt tells its job. */
export interface AttemptListener {
  /** Every task has processed everything. */
  onDrained(): void;
  /** Every task is over. */
  onFinished(): void;
  onFailed(error: unknown): void;
  /** Keeps an object of a checkpoint. Rejects when the checkpoint was given up. */
  keep(barrier: Barrier, name: string, parts: readonly Uint8Array[]): Promise<void>;
  /** A task's part of a checkpoint is kept. */
  onSnapshot(task: string, checkpoint: number, states: readonly SubtaskState[]): void;
  onDeclined(checkpoint: number, error: unknown): void;
}

/** One run of a job's tasks on their hosts, from opening to their end or the first failure. */
export class JobAttempt implements HostListener {
  readonly measured: MeasuredSource[] = [];
  private readonly parts: HostParts;
  private readonly listener: AttemptListener;
  private readonly driver: HostDriver | undefined;
  private readonly ledger: RegionLedger | undefined;
  private hosts: readonly TaskHost[] = [];
  private alignment: JobAlignment | undefined;
  /** Readers that only find splits, where those who read them are elsewhere. */
  private readonly finders: SourceReader<unknown, unknown>[] = [];
  private readonly assigners = new Map<number, SplitAssigner>();
  private readonly enumeration = new AbortController();
  private undrained = 0;
  private unfinished = 0;
  private isClosed = false;

  /** `driver`: where tasks run; `undefined` for this thread. */
  constructor(parts: HostParts, listener: AttemptListener, driver?: HostDriver) {
    this.parts = parts;
    this.listener = listener;
    this.driver = driver;
    if (parts.keepsResults === true) this.ledger = new RegionLedger(parts.plan, parts.finished, driver?.results);
  }

  /** Takes over the state of a checkpoint, then opens every operator and source. */
  async open(restore: CheckpointReader | undefined): Promise<void> {
    const { plan, finished } = this.parts;
    if (finished?.chains.length === plan.chains.length) return;
    this.hosts = this.driver === undefined ? [new LocalHost(this.parts, this)] : await this.driver.hosts(this.parts, this);
    this.undrained = this.unfinished = this.hosts.length;
    await allOpened(this.hosts.map(async (host) => host.open(restore)));
    this.alignment = new JobAlignment(this.hosts, (node) => this.parts.builder.behaviour(node).source?.time?.alignment?.group);
    const targets = this.hosts.flatMap(({ sources }) => sources);
    const nodes = [...new Set(targets.map(({ node }) => node))];
    await allOpened(nodes.map(async (node) => this.prepareAssigner(node, targets, restore)));
  }

  get participants(): readonly Participant[] {
    return this.hosts.flatMap(({ participants }) => participants);
  }

  /** Lets records flow. */
  flow(): void {
    const { plan, platform } = this.parts;
    const later = (callback: () => void): void => platform.later(callback);
    if (this.hosts.length === 0) return this.listener.onFinished();
    this.alignment?.start();
    for (const host of this.hosts) host.flow();
    for (const assigner of this.assigners.values()) {
      void assigner.run({ signal: this.enumeration.signal, bounded: plan.mode === 'batch', clock: platform.clock, later });
    }
  }

  /** Ends sources where they are. */
  stop(drain: boolean): void {
    this.enumeration.abort();
    for (const host of this.hosts) host.stop(drain);
  }

  /** Makes durable what sinks hold, and ends. */
  finish(): void {
    for (const host of this.hosts) host.finish();
  }

  /** The state of the discovery of splits, by the source's uid. */
  enumerators(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.assigners].map(([node, assigner]) => [this.uidOf(node), assigner.snapshot()]));
  }

  reports(at: number): readonly OperatorReport[] {
    return [...(this.parts.finished?.reports ?? []), ...this.hosts.flatMap((host) => host.reports(at))];
  }

  /** What the next attempt need not do again. When this one is closed: everything that its hosts have told has come then. */
  async leave(): Promise<FinishedRegions | undefined> {
    return this.ledger?.leave();
  }

  /** There is no next attempt. */
  dropResults(): void {
    this.ledger?.dropAll();
  }

  /** `failure`: why the attempt did not come to its end, if it did not. */
  async close(failure?: unknown): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.enumeration.abort();
    const closed = await Promise.allSettled([
      ...this.hosts.map(async (host) => host.close(failure)),
      ...this.finders.map(async (reader) => reader.close?.()),
    ]);
    await this.driver?.release?.();
    const failed = closed.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  // What a closed attempt's hosts still say, nobody wants to hear.

  onDrained(): void {
    if (--this.undrained === 0 && !this.isClosed) this.listener.onDrained();
  }

  onFinished(): void {
    if (--this.unfinished === 0 && !this.isClosed) this.listener.onFinished();
  }

  onFailed(error: unknown): void {
    if (!this.isClosed) this.listener.onFailed(error);
  }

  onOver(chain: number, subtask: number, reports: readonly OperatorReport[]): void {
    this.ledger?.onOver(chain, subtask, reports);
  }

  onResult(partition: string, result: Result): void {
    this.ledger?.onResult(partition, result);
  }

  onSplitEnd(node: number, split: string): void {
    this.assigners.get(node)?.onEnded(split);
  }

  keep(barrier: Barrier, name: string, parts: readonly Uint8Array[]): Promise<void> {
    return this.listener.keep(barrier, name, parts);
  }

  onSnapshot(task: string, checkpoint: number, states: readonly SubtaskState[]): void {
    if (!this.isClosed) this.listener.onSnapshot(task, checkpoint, states);
  }

  onDeclined(checkpoint: number, error: unknown): void {
    if (!this.isClosed) this.listener.onDeclined(checkpoint, error);
  }

  private uidOf(node: number): string {
    return this.parts.plan.graph.nodes[node]!.uid;
  }

  private async prepareAssigner(node: number, all: readonly SplitTarget[], restore: CheckpointReader | undefined): Promise<void> {
    const targets = all.filter((target) => target.node === node).sort((a, b) => a.subtask - b.subtask);
    const reader = this.hosts.map((host) => host.readerOf?.(node)).find((found) => found !== undefined) ?? (await this.openFinder(node));
    const watched = targets.map((target) => this.alignment!.watch(target));
    const assigner = new SplitAssigner(reader, watched, this.measure(reader, node));
    const saved = restore?.manifest.enumerators[this.uidOf(node)];
    if (saved !== undefined) assigner.restore(saved as never);
    this.assigners.set(node, assigner);
  }

  private async openFinder(node: number): Promise<SourceReader<unknown, unknown>> {
    const reader = await openSource(this.parts, node);
    this.finders.push(reader);
    return reader;
  }

  private measure(reader: SourceReader<unknown, unknown>, node: number): InputSize | undefined {
    const { uid, traits } = this.parts.plan.graph.nodes[node]!;
    if (traits.bounded !== true) return undefined;
    const size = new InputSize(reader);
    const of = (unit: 'bytes' | 'records') => (report: OperatorReport) => {
      if (report.uid !== uid) return 0;
      return unit === 'bytes' ? report.bytesIn : report.recordsIn;
    };
    this.measured.push({
      uid,
      size,
      read: (unit) =>
        this.reports(0)
          .map(of(unit))
          .reduce((sum, read) => sum + read, 0),
    });
    return size;
  }
}
