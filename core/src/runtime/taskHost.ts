import type { Barrier } from '../element/element.ts';
import type { CheckpointReader } from '../checkpoint/restore.ts';
import type { Participant } from '../checkpoint/coordinator.ts';
import type { SubtaskState } from '../checkpoint/manifest.ts';
import type { SourceReader } from '../operators/connector.ts';
import type { Result } from './finishedRegions.ts';
import type { Timestamp } from '../time/timestamp.ts';
import type { AlignmentReport } from './hostAlignment.ts';
import type { OperatorReport } from './metrics.ts';

/**
 * A place where some of a job's tasks run: this thread, a worker, another process. The job tells hosts what to do and hears from them
 * what has happened; records go between hosts without it.
 */
export interface TaskHost {
  /** Its tasks, as the coordinator of checkpoints sees them. Known when it is open. */
  readonly participants: readonly Participant[];
  /** The source subtasks that run here. Known when it is open. */
  readonly sources: readonly SplitTarget[];
  /** Takes over the state of a checkpoint, then opens every operator and source. */
  open(restore: CheckpointReader | undefined): Promise<void>;
  /** Lets records flow. */
  flow(): void;
  /** These alignment groups have members on other hosts too, which hold those here until it is said where they stand. Before `flow`. */
  shareAlignment(groups: readonly string[], told: (report: AlignmentReport) => void): void;
  /** Where the slowest member of a group on the other hosts stands; infinite when there is none. */
  align(group: string, elsewhere: Timestamp): void;
  /** Ends sources where they are. */
  stop(drain: boolean): void;
  /** Makes durable what sinks hold, and ends. */
  finish(): void;
  /** The open reader of a source, where it is on this thread and can find the splits too. */
  readerOf?(node: number): SourceReader<unknown, unknown> | undefined;
  /** What every subtask of every operator has done so far, as far as is known here. */
  reports(at: number): readonly OperatorReport[];
  /** `failure`: why the tasks did not come to their ends, if they did not. */
  close(failure?: unknown): Promise<void>;
}

/** A source's subtask, to which splits are dealt out. */
export interface SplitTarget {
  /** The source's node in the graph. */
  readonly node: number;
  readonly subtask: number;
  /** Splits that it goes on with from a checkpoint. */
  openSplits(): readonly string[];
  /** Further splits. What is told comes in order, behind whatever was asked of the task before. */
  assign(splits: readonly string[]): void;
  /** No further split will come. */
  endAssignment(): void;
  /** The discovery of splits has failed. */
  fail(error: unknown): void;
}

/** What a host tells its job. */
export interface HostListener {
  /** Every task has processed everything. */
  onDrained(): void;
  /** Every task is over. */
  onFinished(): void;
  onFailed(error: unknown): void;
  /** In batch mode: a subtask of a chain has processed everything and passed it on. */
  onOver(chain: number, subtask: number, reports: readonly OperatorReport[]): void;
  /** In batch mode: all that goes to a partition is there, and kept for the next attempt. */
  onResult(partition: string, result: Result): void;
  /** A source's subtask has read a split to its end. */
  onSplitEnd(node: number, split: string): void;
  /** Keeps an object of a checkpoint. Rejects when the checkpoint was given up. */
  keep(barrier: Barrier, name: string, parts: readonly Uint8Array[]): Promise<void>;
  /** A task's part of a checkpoint is kept. */
  onSnapshot(task: string, checkpoint: number, states: readonly SubtaskState[]): void;
  /** A task cannot take part in a checkpoint. */
  onDeclined(checkpoint: number, error: unknown): void;
}
