import type { CheckpointReport, CompletedCheckpoint } from '../checkpoint/checkpointHistory.ts';
import type { JobStatus } from '../runtime/lifecycle.ts';
import type { JobMetrics } from '../runtime/metrics.ts';
import type { Progress } from '../runtime/progress.ts';

/** The version of the protocol. It grows when an older client would be misled. */
export const CONTROL_VERSION = 1;

/** A line may be this long, in bytes. */
export const LONGEST_LINE: number = 2 ** 20;

/** What a running job can be asked. A request is a line of JSON: one of these, with an `id` that its answers carry. */
export type ControlCommand =
  | { readonly command: 'status' }
  | { readonly command: 'savepoint'; readonly target: string }
  | { readonly command: 'stop'; readonly drain: boolean; readonly target?: string | undefined }
  | { readonly command: 'cancel' };

/** A request on its way. */
export type ControlRequest = ControlCommand & { readonly id: number };

/** A failure on its way: the parts of a `MillraceError`. */
export interface ControlFailure {
  readonly code: string;
  readonly problem: string;
  readonly remedy: string;
  readonly uid?: string | undefined;
}

/** A line that answers a request: at once that it was taken, then what came of it. */
export type ControlAnswer =
  | { readonly id: number; readonly accepted: true }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: ControlFailure };

/** How a job is. */
export interface JobReport {
  /** The version of the protocol that the job speaks. */
  readonly version: number;
  readonly job: string;
  readonly status: JobStatus;
  readonly process: number;
  /** Processing time in ms at which it began to listen. */
  readonly startedAt: number;
  readonly attempts: number;
  readonly checkpoints: CheckpointReport | null;
  readonly progress: Progress | null;
  readonly metrics: JobMetrics;
}

/** What comes of each command. */
export interface ControlResults {
  readonly status: JobReport;
  readonly savepoint: CompletedCheckpoint & { readonly location: string };
  readonly stop: (CompletedCheckpoint & { readonly location: string }) | null;
  readonly cancel: null;
}
