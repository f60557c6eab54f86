import type { Manifest, SubtaskState } from '../checkpoint/manifest.ts';
import { crc32 as plainCrc32 } from '../checkpoint/checksum.ts';
import { CheckpointReader } from '../checkpoint/restore.ts';
import type { Barrier } from '../element/element.ts';
import { fromPlainError, type PlainError, toPlainError } from '../errors/plainError.ts';
import type { Logger } from '../operators/logger.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { Result } from './finishedRegions.ts';
import { type HostParts, LocalHost } from './localHost.ts';
import type { OperatorReport } from './metrics.ts';
import type { Placement } from './placement.ts';
import { type Port, RemoteCalls } from './remoteCalls.ts';
import type { Task } from './task.ts';
import type { HostListener, SplitTarget } from './taskHost.ts';

/** How often metrics are sent, in ms. */
const REPORTED_EVERY = 250;

/** Runs tasks for a job that is controlled from behind a port. The other side of it is a {@link RemoteHost}. */
export class HostServer implements HostListener {
  readonly host: LocalHost;
  private readonly calls: RemoteCalls;
  private readonly parts: HostParts;
  private cancelReport: (() => void) | undefined;

  constructor(port: Port, parts: Omit<HostParts, 'logger'>, placement: Placement) {
    this.calls = new RemoteCalls(port, {
      open: (manifest: Manifest | undefined, isLenient?: boolean) => this.open(manifest, isLenient),
      shareAlignment: (groups: readonly string[]) => this.host.shareAlignment(groups, (report) => this.calls.tell('aligned', report)),
      align: (group: string, elsewhere: Timestamp) => this.host.align(group, elsewhere),
      flow: () => this.host.flow(),
      stop: (drain: boolean) => this.host.stop(drain),
      finish: () => this.host.finish(),
      barrier: (task: string, barrier: Barrier) => this.task(task).requestCheckpoint(barrier),
      complete: (task: string, checkpoint: number) => this.task(task).completeCheckpoint(checkpoint),
      aborted: (task: string, checkpoint: number) => this.task(task).abortCheckpoint(checkpoint),
      assign: (node: number, subtask: number, splits: readonly string[]) => this.source(node, subtask).assign(splits),
      endAssignment: (node: number, subtask: number) => this.source(node, subtask).endAssignment(),
      failSource: (node: number, subtask: number, error: PlainError) => this.source(node, subtask).fail(fromPlainError(error)),
      close: (failure: PlainError | undefined) => this.close(failure),
    });
    this.parts = { ...parts, logger: this.logger() };
    this.host = new LocalHost(this.parts, this, placement);
  }

  /** Something outside of any task went wrong. */
  fail(error: unknown): void {
    this.calls.tell('error', toPlainError(error));
  }

  onDrained(): void {
    this.report();
    this.calls.tell('drained');
  }

  onFinished(): void {
    this.report();
    this.calls.tell('finished');
  }

  onFailed(error: unknown): void {
    this.report();
    this.fail(error);
  }

  onOver(chain: number, subtask: number, reports: readonly OperatorReport[]): void {
    this.calls.tell('over', chain, subtask, reports);
  }

  onResult(partition: string, result: Result): void {
    this.calls.tell('result', partition, result);
  }

  onSplitEnd(node: number, split: string): void {
    this.calls.tell('splitEnd', node, split);
  }

  keep(barrier: Barrier, name: string, parts: readonly Uint8Array[]): Promise<void> {
    return this.calls.call('snapshotEntries', barrier, name, parts);
  }

  onSnapshot(task: string, checkpoint: number, states: readonly SubtaskState[]): void {
    this.calls.tell('snapshotDone', task, checkpoint, states);
  }

  onDeclined(checkpoint: number, error: unknown): void {
    this.calls.tell('declined', checkpoint, toPlainError(error));
  }

  /** Gives the splits that its sources go on with. */
  private async open(manifest: Manifest | undefined, isLenient = false): Promise<readonly (readonly [string, readonly string[]])[]> {
    await this.host.open(manifest === undefined ? undefined : this.reader(manifest, isLenient));
    this.reportRegularly();
    return this.host.sources.map((source) => [`${source.node}/${source.subtask}`, source.openSplits()]);
  }

  private reader(manifest: Manifest, isLenient: boolean): CheckpointReader {
    const read = (name: string): Promise<Uint8Array> => this.calls.call('restoreEntries', name);
    return new CheckpointReader(manifest, { read }, this.parts.platform.crc32 ?? plainCrc32, isLenient);
  }

  private async close(failure: PlainError | undefined): Promise<void> {
    this.cancelReport?.();
    try {
      await this.host.close(failure === undefined ? undefined : fromPlainError(failure));
    } finally {
      this.report();
    }
  }

  private reportRegularly(): void {
    const { clock } = this.parts.platform;
    this.cancelReport = clock.schedule(clock.now() + REPORTED_EVERY, () => {
      this.report();
      this.reportRegularly();
    });
  }

  private report(): void {
    this.calls.tell('metrics', this.host.reports(this.parts.platform.clock.now()));
  }

  private task(name: string): Task {
    return this.host.participants.find((task) => task.name === name)!;
  }

  private source(node: number, subtask: number): SplitTarget {
    return this.host.sources.find((source) => source.node === node && source.subtask === subtask)!;
  }

  private logger(): Logger {
    const say =
      (level: keyof Logger): Logger['info'] =>
      (message, details) =>
        this.calls.tell('log', level, message, details === undefined ? undefined : plainDetails(details));
    return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
  }
}

function plainDetails(details: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, value instanceof Error ? value.message : value]));
}
