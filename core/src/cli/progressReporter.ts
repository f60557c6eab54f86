import type { CheckpointReport } from '../checkpoint/checkpointHistory.ts';
import type { JobMetrics } from '../runtime/metrics.ts';
import type { Progress } from '../runtime/progress.ts';
import type { Clock } from '../time/clock.ts';
import { type JobReading, readMetrics } from './jobReading.ts';
import { progressText, summaryText } from './progressText.ts';

/** A job as its progress shows. */
export interface ObservedJob {
  readonly name: string;
  metrics(): JobMetrics;
  progress(): Progress | undefined;
  checkpoints(): CheckpointReport | undefined;
}

/** Where progress is shown, and how often, in ms. */
export interface ProgressDisplay {
  readonly every: number;
  show(text: string): void;
}

/** Rates are over this long, in ms: the last moment alone would flicker. */
const RATE_SPAN = 2_000;

interface Sample {
  readonly at: number;
  readonly reading: JobReading;
}

/** Shows how far a job has come, again and again, by the clock. */
export class ProgressReporter {
  private readonly job: ObservedJob;
  private readonly clock: Clock;
  private readonly display: ProgressDisplay;
  private readonly start: number;
  private samples: Sample[];
  private cancel: (() => void) | undefined;

  /** `start`: the clock's monotone reading when the job was started. */
  constructor(job: ObservedJob, clock: Clock, display: ProgressDisplay, start: number) {
    this.job = job;
    this.clock = clock;
    this.display = display;
    this.start = start;
    this.samples = [this.sample()];
    this.plan();
  }

  /** Stops showing. */
  stop(): void {
    this.cancel?.();
    this.cancel = undefined;
  }

  /** One line on the whole run; `outcome` such as `finished in`. */
  summary(outcome: string): string {
    return summaryText(this.job.name, outcome, readMetrics(this.job.metrics()), this.clock.monotonic() - this.start);
  }

  private plan(): void {
    this.cancel = this.clock.schedule(this.clock.now() + this.display.every, () => {
      this.plan();
      this.report();
    });
  }

  private report(): void {
    const latest = this.sample();
    // The newest of the samples that are old enough is what rates count from.
    const from = this.samples.findLast(({ at }) => latest.at - at >= RATE_SPAN) ?? this.samples[0]!;
    this.samples = [...this.samples.slice(this.samples.indexOf(from)), latest];
    const rate = (read: (reading: JobReading) => number): number => {
      const span = latest.at - from.at;
      return span > 0 ? ((read(latest.reading) - read(from.reading)) / span) * 1000 : 0;
    };
    this.display.show(
      progressText({
        reading: latest.reading,
        receivedRate: rate(({ received }) => received),
        deliveredRate: rate(({ delivered }) => delivered),
        elapsed: latest.at - this.start,
        fraction: this.job.progress()?.fraction,
        checkpoints: this.job.checkpoints(),
        now: this.clock.now(),
      }),
    );
  }

  private sample(): Sample {
    return { at: this.clock.monotonic(), reading: readMetrics(this.job.metrics()) };
  }
}
