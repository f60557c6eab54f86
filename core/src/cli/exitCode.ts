import { isMillraceError } from '../errors/millraceError.ts';

/** What the command `millrace` ends with. Scripts rely on it, so a number never changes its meaning. */
export const EXIT = {
  /** The job finished, or what was asked for was shown. */
  done: 0,
  /** The job failed. */
  failed: 1,
  /** The command line or the job's configuration is wrong; nothing was started. */
  usage: 2,
  /** The module is not there, cannot be imported, or holds no job. */
  module: 3,
  /** No job runs where a command wants to talk to one, or it cannot be reached. */
  unreachable: 4,
  /** The job was stopped or canceled by Ctrl-C: its results are not complete. */
  interrupted: 130,
  /** Whoever read standard output has gone (`| head`). */
  pipeClosed: 141,
  /** The job was stopped or canceled by SIGTERM: its results are not complete. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error that decides how the command ends. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, cause: unknown) {
    super('The command failed.', { cause });
    this.exitCode = exitCode;
  }
}

/** How the command ends for an error, as far as the error tells. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isMillraceError(error)) return EXIT.failed;
  if (error.code === 'job/unreachable') return EXIT.unreachable;
  return /^(config|cli)\//.test(error.code) ? EXIT.usage : EXIT.failed;
}

/** Runs a step of a command; if it throws, the command ends with `exitCode`. */
export async function step<T>(exitCode: ExitCode, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw new CommandFailure(exitCode, error);
  }
}
