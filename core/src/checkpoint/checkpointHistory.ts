import { describeError } from '../errors/describe.ts';
import { isWrittenBy } from './catalog.ts';
import { type Manifest, type Segment, segmentsOf } from './manifest.ts';

/** How many complete checkpoints are remembered. */
const RECENT = 10;

/** A checkpoint that is complete. */
export interface CompletedCheckpoint {
  readonly checkpoint: number;
  readonly kind: 'checkpoint' | 'savepoint';
  /** Processing time in ms. */
  readonly startedAt: number;
  /** From the request to the manifest, in ms. */
  readonly took: number;
  /** What a restore reads, in bytes. */
  readonly size: number;
  /** What of it this checkpoint has written, in bytes; the rest it shares with those before it. */
  readonly written: number;
}

/** How a job's checkpoints have fared since it was started. */
export interface CheckpointReport {
  /** Where they are. */
  readonly location: string;
  /** Of the lease under which they are written. */
  readonly epoch: number;
  /** The checkpoint that the present attempt went on from. */
  readonly restored: number | undefined;
  readonly completed: number;
  /** Those that were given up. */
  readonly failed: number;
  readonly underWay: number;
  /** The latest complete ones, newest first, ten at most. */
  readonly recent: readonly CompletedCheckpoint[];
  /** The last one that was given up. `at`: processing time in ms. */
  readonly lastFailure: { readonly checkpoint: number; readonly at: number; readonly reason: string } | undefined;
}

/** What has become of a job's checkpoints, over all its attempts. */
export class CheckpointHistory {
  private completed = 0;
  private failed = 0;
  private recent: readonly CompletedCheckpoint[] = [];
  private lastFailure: CheckpointReport['lastFailure'];

  complete(manifest: Manifest, now: number): void {
    this.completed++;
    const { checkpoint, kind, takenAt } = manifest;
    const segments = manifest.subtasks.flatMap(segmentsOf);
    const written = segments.filter(({ object }) => isWrittenBy(manifest, object));
    const done = { checkpoint, kind, startedAt: takenAt, took: now - takenAt, size: bytesOf(segments), written: bytesOf(written) };
    this.recent = [done, ...this.recent].slice(0, RECENT);
  }

  giveUp(checkpoint: number, error: unknown, now: number): void {
    this.failed++;
    this.lastFailure = { checkpoint, at: now, reason: describeError(error) };
  }

  report(): Pick<CheckpointReport, 'completed' | 'failed' | 'recent' | 'lastFailure'> {
    const { completed, failed, recent, lastFailure } = this;
    return { completed, failed, recent, lastFailure };
  }
}

/** The bytes of some segments. */
export function bytesOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0);
}
