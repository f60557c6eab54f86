import { realpath, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import type { CheckpointLocation } from '../node/checkpointLocation.ts';
import { ControlSocket } from '../node/controlSocket.ts';
import { platform } from '../node/platform.ts';
import type { Logger } from '../operators/logger.ts';
import type { LocalJob } from '../runtime/job.ts';
import { type JobMetrics, prometheusText } from '../runtime/metrics.ts';
import { checkpointedRun } from './checkpointFlags.ts';
import { CommandFailure, EXIT, type ExitCode, exitCodeOf } from './exitCode.ts';
import { namingFlag } from './flagOfPath.ts';
import { type Interruption, watchInterruptions } from './interruptions.ts';
import type { LoadedJob } from './jobModule.ts';
import { type ProgressDisplay, ProgressReporter } from './progressReporter.ts';
import { type RunFlags, runOptionsOf } from './runFlags.ts';
import { TerminalLine } from './terminalLine.ts';
import { terminalLogger } from './terminalLogger.ts';

/** How often progress is shown on a terminal, and where its lines stay, in ms. */
const REDRAWN_EVERY = 250;
const LOGGED_EVERY = 10_000;

/** Runs a job to its end, or to the first signal. */
export async function runCommand({ job, path }: LoadedJob, config: unknown, flags: RunFlags): Promise<ExitCode> {
  const { quiet = false, verbose = false } = flags;
  const logger = terminalLogger({ quiet, verbose });
  const checkpointed = await checkpointedRun(flags, (message) => logger.warn(message));
  const run = new Run(quiet, logger, checkpointed.location);
  const program = { module: pathToFileURL(await realpath(path)).href, config };
  const options = { ...runOptionsOf(flags), ...checkpointed.options, program, logger, signal: run.signal };
  await run.noting(async () => {
    try {
      await run.until(job.start(config, options));
    } catch (error) {
      throw namingFlag(error, config);
    }
  });
  await run.close();
  const { job: ran } = run;
  const { metrics } = flags;
  if (metrics !== undefined && ran !== undefined) await run.noting(async () => writeMetrics(metrics, ran.metrics()));
  return run.exitCode();
}

/** One run of a job as the command sees it. */
class Run {
  readonly signal: AbortSignal;
  job: LocalJob | undefined;
  private failure: unknown;
  private readonly quiet: boolean;
  private readonly logger: Logger;
  private readonly location: CheckpointLocation | undefined;
  private readonly abort = new AbortController();
  private readonly unwatch: () => void;
  private readonly started = platform.clock.monotonic();
  private interruption: Interruption | undefined;
  private reporter: ProgressReporter | undefined;
  private line: TerminalLine | undefined;
  private control: ControlSocket | undefined;
  /** A command of another process that ends the job. */
  private ended: 'stop' | 'cancel' | undefined;

  constructor(quiet: boolean, logger: Logger, location: CheckpointLocation | undefined) {
    this.quiet = quiet;
    this.logger = logger;
    this.location = location;
    this.signal = this.abort.signal;
    this.unwatch = watchInterruptions((interruption, nth) => this.interrupt(interruption, nth));
  }

  /** Does something, whose failure is that of the run. */
  async noting(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.failure ??= error;
    }
  }

  async until(starting: Promise<LocalJob>): Promise<void> {
    this.job = await starting;
    if (!this.quiet) this.reporter = new ProgressReporter(this.job, platform.clock, this.display(), this.started);
    if (this.location !== undefined) await this.listen(this.job, this.location);
    await this.job.finished;
  }

  async close(): Promise<void> {
    this.reporter?.stop();
    this.line?.close();
    this.unwatch();
    await this.control?.close();
  }

  /** Says how the run ended. */
  exitCode(): ExitCode {
    const { failure, interruption, isCanceled, endedBy: by } = this;
    // Without a signal, whoever read the output is gone: nobody wants to hear more.
    if (interruption !== undefined && interruption.signal === undefined) return interruption.exitCode;
    if (failure !== undefined && (!isCanceled || by === undefined)) {
      this.summarise('failed after');
      throw new CommandFailure(exitCodeOf(failure), failure);
    }
    this.summarise(by === undefined ? 'finished in' : `${isCanceled ? 'canceled' : 'stopped'} by ${by} after`);
    if (interruption !== undefined) return interruption.exitCode;
    return isCanceled ? EXIT.failed : EXIT.done;
  }

  private get isCanceled(): boolean {
    return isMillraceError(this.failure) && this.failure.code === 'job/canceled';
  }

  /** Who ended the job before its end. */
  private get endedBy(): string | undefined {
    return this.interruption?.signal ?? (this.ended === undefined ? undefined : `millrace ${this.ended}`);
  }

  private summarise(outcome: string): void {
    if (this.reporter !== undefined) process.stderr.write(`${this.reporter.summary(outcome)}\n`);
  }

  /** First in order, then at once, then by force. */
  private interrupt(interruption: Interruption, nth: number): void {
    this.interruption ??= interruption;
    if (nth > 2) process.exit(interruption.exitCode);
    // Between two attempts there is nothing under way: its latest checkpoint stands.
    if (nth > 1 || this.job === undefined || this.job.status === 'restarting') return this.abort.abort();
    if (!this.quiet && interruption.signal !== undefined)
      process.stderr.write('Stopping: what is under way is finished first. Once more cancels at once.\n');
    // Its failure is that of the run.
    this.job.stop().catch(() => undefined);
  }

  private async listen(job: LocalJob, location: CheckpointLocation): Promise<void> {
    if (job.checkpoints() === undefined) {
      return this.logger.warn('In batch mode no checkpoints are taken: the results become visible all at once, at the end.');
    }
    try {
      this.control = await ControlSocket.listen(job, location, (command) => (this.ended = command));
    } catch (error) {
      this.logger.warn(`No other command can talk to this job (status, savepoint, stop): ${describeError(error)}.`);
    }
  }

  private display(): ProgressDisplay {
    const { stderr, stdout } = process;
    if (!stderr.isTTY || process.env['TERM'] === 'dumb') return { every: LOGGED_EVERY, show: (text) => void stderr.write(`${text}\n`) };
    const line = new TerminalLine(stderr, stdout.isTTY ? [stdout] : []);
    this.line = line;
    return { every: REDRAWN_EVERY, show: (text) => line.show(text) };
  }
}

async function writeMetrics(path: string, metrics: JobMetrics): Promise<void> {
  const text = path.endsWith('.json') ? `${JSON.stringify(metrics, null, 2)}\n` : prometheusText(metrics);
  if (path === '-') return void process.stdout.write(text);
  try {
    await writeFile(path, text);
  } catch (cause) {
    throw new MillraceError('sink/failed', `The metrics cannot be written to ${path}: ${describeError(cause)}.`, {
      remedy: 'Name a file in a folder that is there: --metrics FILE.',
      cause,
    });
  }
}
