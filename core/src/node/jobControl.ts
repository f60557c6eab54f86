import type { CompletedCheckpoint } from '../checkpoint/checkpointHistory.ts';
import type { CheckpointStorage } from '../checkpoint/storage.ts';
import { describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import type { LocalJob } from '../runtime/job.ts';
import { parseLocation } from './checkpointLocation.ts';
import { CONTROL_VERSION, type ControlResults, type JobReport } from './controlProtocol.ts';

/** A job as it is controlled. */
export type ControlledJob = Pick<
  LocalJob,
  'name' | 'status' | 'attempts' | 'checkpoints' | 'progress' | 'metrics' | 'savepoint' | 'stop' | 'cancel'
>;

/** Does with a job what requests say. */
export class JobControl {
  private readonly job: ControlledJob;
  private readonly own: CheckpointStorage;
  private readonly onEnd: (command: 'stop' | 'cancel') => void;
  private readonly startedAt: number;

  /** `onEnd` is told before a command ends the job. */
  constructor(job: ControlledJob, own: CheckpointStorage, onEnd: (command: 'stop' | 'cancel') => void, startedAt: number) {
    this.job = job;
    this.own = own;
    this.onEnd = onEnd;
    this.startedAt = startedAt;
  }

  /**
   * Does what a request says.
   *
   * @throws MillraceError `job/protocol` for a request that is none; what the job fails to do it with.
   */
  async answer(request: Readonly<Record<string, unknown>>): Promise<ControlResults[keyof ControlResults]> {
    const { command, target, drain } = request;
    switch (command) {
      case 'status':
        return this.report();
      case 'savepoint':
        return this.savepoint(textOf(target));
      case 'stop':
        return this.stop(drain === true, target === undefined ? undefined : textOf(target));
      case 'cancel':
        this.onEnd('cancel');
        await this.job.cancel();
        return null;
      default:
        throw new MillraceError(
          'job/protocol',
          `The job knows no command ${typeof command === 'string' ? `"${command}"` : describeValue(command)}.`,
          {
            remedy: 'It runs an older version of @millrace/core than the one that asks: use that one.',
          },
        );
    }
  }

  private report(): JobReport {
    const { job, startedAt } = this;
    return {
      version: CONTROL_VERSION,
      job: job.name,
      status: job.status,
      process: process.pid,
      startedAt,
      attempts: job.attempts,
      checkpoints: job.checkpoints() ?? null,
      progress: job.progress() ?? null,
      metrics: job.metrics(),
    };
  }

  private async savepoint(target: string): Promise<ControlResults['savepoint']> {
    const storage = await this.free(target);
    await this.job.savepoint(storage);
    return { ...this.latest()!, location: storage.location };
  }

  private async stop(drain: boolean, target: string | undefined): Promise<ControlResults['stop']> {
    const { job } = this;
    if (job.status !== 'running') {
      throw new MillraceError('job/state', `The job "${job.name}" cannot be stopped: it is ${job.status}.`, {
        remedy: 'Wait until it runs, or cancel it: its latest checkpoint stands.',
      });
    }
    const savepoint = target === undefined ? undefined : await this.free(target);
    this.onEnd('stop');
    await job.stop(savepoint === undefined ? { drain } : { drain, savepoint });
    return savepoint === undefined ? null : { ...this.latest()!, location: savepoint.location };
  }

  /** A place that can be written and holds no checkpoint. It is tried before a job is stopped for it. */
  private async free(target: string): Promise<CheckpointStorage> {
    const { storage, manifest } = await parseLocation(target);
    const { location } = storage;
    if (location === this.own.location) throw occupied(location, "is the job's own checkpoint location");
    if (manifest !== undefined || (await storage.list('manifests/')).length > 0) throw occupied(location, 'holds a checkpoint already');
    await storage.write('probe', []);
    await storage.remove('probe');
    return storage;
  }

  private latest(): CompletedCheckpoint | undefined {
    return this.job.checkpoints()?.recent.find(({ kind }) => kind === 'savepoint');
  }
}

function textOf(target: unknown): string {
  if (typeof target === 'string') return target;
  throw new MillraceError('job/protocol', `A target is ${describeValue(target)}.`, {
    remedy: 'Give a path, or an address of an object store.',
  });
}

function occupied(location: string, problem: string): MillraceError {
  return new MillraceError('checkpoint/storage', `A savepoint cannot be written to ${location}: it ${problem}.`, {
    remedy: 'Give a directory that is not there yet, or empty.',
  });
}
